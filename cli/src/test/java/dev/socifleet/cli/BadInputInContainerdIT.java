package dev.socifleet.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.cli.RunSoci.Ended;
import dev.socifleet.embedded.registry.SmallRegistry;
import dev.socifleet.oci.Digest;
import dev.socifleet.testing.FreePort;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** As {@link BadInputIT}, on a real containerd: its content, images and leases stay as they are. */
@Timeout(600)
class BadInputInContainerdIT {
  private static final String NO_DIGEST = "sha256:" + "0".repeat(64);

  @TempDir private Path directory;

  private record Use(int exit, List<String> words, List<String> command) {}

  private static Use fails(List<String> words, String... command) {
    return new Use(1, words, List.of(command));
  }

  private static Use isWrong(List<String> words, String... command) {
    return new Use(2, words, List.of(command));
  }

  @Test
  void everyCommandLeavesItAsItIs() throws Exception {
    Path state = Files.createDirectory(directory.resolve("registries"));
    try (ContainerdWithImages containerd = ContainerdWithImages.start(directory);
        SmallRegistry open = SmallRegistry.start(SmallRegistry.Options.in(state.resolve("open")));
        SmallRegistry closed =
            SmallRegistry.start(
                SmallRegistry.Options.in(state.resolve("closed"))
                    .withUsers(List.of(SmallRegistry.User.of("user", "secret"))))) {
      String image = containerd.add("single");
      String lacking = containerd.add("multi");
      containerd.ctr("content", "rm", aLayerOfMulti(containerd));
      String at = closed.host() + "/app:1";
      containerd.ctr("images", "tag", image, at);
      String gone = "127.0.0.1:" + FreePort.choose() + "/app:1";
      containerd.ctr("images", "tag", image, gone);
      assertThat(containerd.soci("create", "--min-layer-size", "0", image).failure()).isEmpty();
      String ztoc = containerd.soci("ztoc", "list", "-q").lines().getFirst();
      String before = contents(containerd);

      for (Use use :
          List.of(
              fails(
                  List.of("example.test/absent:1", "not found"), "create", "example.test/absent:1"),
              fails(List.of("linux/s390x: not found"), "create", "-p", "linux/s390x", image),
              isWrong(List.of("span size"), "create", "--span-size", "0", image),
              fails(
                  List.of("isn't there", "copy the whole image"),
                  "create",
                  "--platform",
                  "linux/arm64",
                  "--min-layer-size",
                  "0",
                  lacking),
              fails(List.of("not found"), "convert", "example.test/absent:1", "example.test/b:1"),
              fails(List.of("must be a tagged ref"), "convert", image, "example.test/b"),
              fails(
                  List.of("linux/s390x: not found"),
                  "convert",
                  "-p",
                  "linux/s390x",
                  image,
                  "example.test/b:1"),
              fails(
                  List.of("isn't there", "copy the whole image"),
                  "convert",
                  "--platform",
                  "linux/arm64",
                  "--min-layer-size",
                  "0",
                  lacking,
                  "example.test/b:1"),
              fails(List.of("not found"), "push", "example.test/absent:1"),
              fails(List.of("401", "--user"), "push", at),
              fails(List.of("reachable"), "push", gone),
              isWrong(List.of("--existing-index"), "push", "--existing-index", "x", at),
              fails(List.of(NO_DIGEST), "index", "info", NO_DIGEST),
              fails(List.of(ztoc), "index", "info", ztoc),
              isWrong(List.of("is no digest"), "index", "info", "sha256:12"),
              fails(List.of(NO_DIGEST), "index", "rm", NO_DIGEST),
              fails(List.of(NO_DIGEST), "ztoc", "info", NO_DIGEST),
              fails(List.of(NO_DIGEST), "ztoc", "get-file", NO_DIGEST, "x"),
              fails(List.of("no/such/file"), "ztoc", "get-file", ztoc, "no/such/file"),
              fails(List.of(NO_DIGEST), "prefetch", "info", NO_DIGEST),
              fails(
                  List.of("no such image", "check the name"),
                  "rpull",
                  "--snapshotter",
                  "native",
                  open.host() + "/app:1"),
              fails(List.of("401"), "rpull", "--snapshotter", "native", closed.host() + "/app:1"),
              fails(List.of("reachable"), "rpull", "--snapshotter", "native", gone))) {
        BadInputIT.assertOneLine(
            containerd.soci(use.command.toArray(String[]::new)), use.exit, use.words);
        assertThat(contents(containerd)).as("after %s", use.command).isEqualTo(before);
      }
    }
  }

  @Test
  void aFullStoreHoldsWholeBlobsOnlyAndIsUsedAgain() throws Exception {
    try (ContainerdWithImages containerd = ContainerdWithImages.start(directory);
        SmallDisk disk = SmallDisk.mount(directory.resolve("disk"), 100)) {
      String image = containerd.add("single");
      String[] create = {"--content-store", "soci", "create", "--min-layer-size", "0", image};

      Ended full = containerd.sociAt("disk/root", create);

      BadInputIT.assertOneLine(
          full, 1, List.of(disk.path().toString(), "No space left on device", "make room"));
      Path content = disk.path().resolve("root/content");
      for (Path file : disk.files()) {
        if (file.startsWith(content.resolve("blobs"))) {
          assertThat(Digest.of(Files.readAllBytes(file)).hex())
              .isEqualTo(file.getFileName().toString());
        } else {
          assertThat(file.toString()).matches(".*/(oci-layout|index.json|sha256-[0-9a-f]*.json)");
        }
      }
      disk.resize(4096);
      assertThat(containerd.sociAt("disk/root", create).failure()).isEmpty();
    }
  }

  private static String aLayerOfMulti(ContainerdWithImages containerd) throws Exception {
    Set<String> layers = layers(containerd, "multi");
    layers.removeAll(layers(containerd, "single"));
    return layers.iterator().next();
  }

  private static Set<String> layers(ContainerdWithImages containerd, String image)
      throws Exception {
    return containerd
        .vectors()
        .results(image)
        .path("create all")
        .path("stdout")
        .asText()
        .lines()
        .filter(line -> line.startsWith("layer "))
        .map(line -> line.split(" ", -1)[1])
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** What is there once the garbage is collected. */
  private static String contents(ContainerdWithImages containerd) throws Exception {
    containerd.collectGarbage();
    return containerd.ctr("content", "ls", "-q")
        + containerd.ctr("content", "active")
        + containerd.ctr("images", "ls", "-q")
        + containerd.ctr("snapshots", "ls")
        + containerd.ctr("leases", "ls", "-q");
  }
}
