package dev.socifleet.node.snapshots;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One mount that gives a snapshot's tree, as containerd and {@code soci mount} make it.
 *
 * @param type {@code bind} or {@code overlay}
 * @param options in the order that containerd's own overlay snapshotter has
 */
public record MountOptions(String type, String source, List<String> options) {
  // containerd does the same: an upper directory is moved between lower ones (commit), so an index
  // of inodes made before would be wrong. No such parameter: the kernel has no index.
  private static final boolean HAS_INDEX =
      Files.exists(Path.of("/sys/module/overlay/parameters/index"));

  public MountOptions {
    options = List.copyOf(options);
  }

  static MountOptions bind(Path directory, boolean writable) {
    return new MountOptions("bind", directory.toString(), List.of(writable ? "rw" : "ro", "rbind"));
  }

  /**
   * @param upper the writable directory, with its work directory; null for a view
   * @param lower nearest first
   */
  static MountOptions overlay(@Nullable Path work, @Nullable Path upper, List<Path> lower) {
    List<String> options = new ArrayList<>();
    if (HAS_INDEX) {
      options.add("index=off");
    }
    if (work != null && upper != null) {
      options.add("workdir=" + work);
      options.add("upperdir=" + upper);
    }
    options.add("lowerdir=" + lower.stream().map(Path::toString).collect(Collectors.joining(":")));
    return new MountOptions("overlay", "overlay", options);
  }
}
