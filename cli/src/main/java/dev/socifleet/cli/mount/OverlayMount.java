package dev.socifleet.cli.mount;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.MountTable;
import dev.socifleet.node.mounts.MountedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Overlay mounts of images, made by mount(8). Their source is {@code soci:<id>}, so the mount
 * itself says which of the node's mounts it is.
 */
public final class OverlayMount {
  private static final String SOURCE = "soci:";
  private static final int LONGEST_COMPLAINT = 2000;

  private OverlayMount() {}

  /**
   * Mounts.
   *
   * @param changes holds {@code fs} and {@code work}, made if needed; empty for a read-only mount
   * @param options more of mount(8)'s, after {@code nosuid,nodev}; empty for none
   */
  public static void mount(MountedImage image, Path target, Optional<Path> changes, String options)
      throws IOException, InterruptedException {
    // Relative to where all layers lie: the options of a mount have 4 KiB at most.
    List<Path> lower = image.lower().stream().map(Path::of).toList();
    Path base = commonParent(lower);
    List<String> all = new ArrayList<>();
    all.add(changes.isEmpty() ? "ro" : "rw");
    all.add("nosuid");
    all.add("nodev");
    all.add(
        "lowerdir="
            + lower.stream()
                .map(path -> base.relativize(path).toString())
                .collect(Collectors.joining(":")));
    if (changes.isPresent()) {
      Path upper = upper(changes.get(), image.root());
      all.add("upperdir=" + upper);
      all.add("workdir=" + Files.createDirectories(changes.get().resolve("work")));
      if (Files.exists(Path.of("/sys/module/overlay/parameters/index"))) {
        all.add("index=off"); // changes outlive the mount, and the layers below may get new inodes
      }
    }
    if (!options.isEmpty()) {
      all.add(options);
    }
    run(
        base,
        List.of(
            "mount",
            "-t",
            "overlay",
            "-o",
            String.join(",", all),
            SOURCE + image.id(),
            target.toString()));
  }

  /** The id of the image that is mounted there last, if one is. */
  static Optional<String> idAt(Path target) throws IOException {
    String wanted = target.toString();
    return MountTable.read().stream()
        .filter(mount -> mount.target().equals(wanted))
        .reduce((first, last) -> last)
        .flatMap(OverlayMount::idOf);
  }

  private static Optional<String> idOf(MountTable.Mount mount) {
    return mount.type().equals("overlay") && mount.source().startsWith(SOURCE)
        ? Optional.of(mount.source().substring(SOURCE.length()))
        : Optional.empty();
  }

  /** Where the image with this id is mounted. */
  public static List<Path> of(String id) throws IOException {
    return MountTable.read().stream()
        .filter(mount -> idOf(mount).equals(Optional.of(id)))
        .map(mount -> Path.of(mount.target()))
        .toList();
  }

  /**
   * Unmounts.
   *
   * @param lazily also when it is in use: it vanishes now and ends with its last user
   */
  public static void unmount(Path target, boolean lazily) throws IOException, InterruptedException {
    run(
        Path.of("/"),
        lazily
            ? List.of("umount", "--lazy", target.toString())
            : List.of("umount", target.toString()));
  }

  private static Path upper(Path changes, MountedImage.Root root) throws IOException {
    Path upper = changes.resolve("fs");
    if (upper.toString().matches(".*[,:\\\\\"].*")) {
      throw new CommandFailure(
          changes
              + " can't hold an overlay's changes: mount options have no , : \\ or \" in paths");
    }
    if (!Files.isDirectory(upper, LinkOption.NOFOLLOW_LINKS)) {
      Files.createDirectories(upper);
      Files.setAttribute(upper, "unix:uid", root.uid());
      Files.setAttribute(upper, "unix:gid", root.gid());
      Files.setAttribute(upper, "unix:mode", root.mode());
    }
    return upper;
  }

  private static Path commonParent(List<Path> paths) {
    Path common = paths.getFirst().getParent();
    while (common != null && common.getParent() != null) {
      Path candidate = common;
      if (paths.stream().allMatch(path -> path.startsWith(candidate))) {
        return common;
      }
      common = common.getParent();
    }
    return Path.of("/");
  }

  private static void run(Path directory, List<String> command)
      throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true);
    // util-linux 2.39 and newer: the kernel's newer calls take no option longer than 255 bytes.
    builder.environment().put("LIBMOUNT_FORCE_MOUNT2", "always");
    Process process = builder.start();
    process.getOutputStream().close();
    String said =
        new String(process.getInputStream().readNBytes(LONGEST_COMPLAINT), StandardCharsets.UTF_8)
            .strip();
    if (process.waitFor() != 0) {
      throw new CommandFailure(
          said.isEmpty()
              ? command.getFirst() + " failed with status " + process.exitValue()
              : said.replaceAll("\\s*\n\\s*", " "));
    }
  }
}
