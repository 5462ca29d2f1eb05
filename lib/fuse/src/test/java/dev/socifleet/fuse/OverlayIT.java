package dev.socifleet.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Layers on one mount as lower directories of a container's overlay. */
@Timeout(value = 600, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class OverlayIT {
  @RegisterExtension private final MountedDirectory place = new MountedDirectory();
  private final MemoryFileSystem files = new MemoryFileSystem();
  private FuseMount mount;

  @BeforeEach
  void mountLayers() throws Exception {
    MemoryFileSystem.Node base = files.directory(files.root, "base");
    files.file(base, "file", "from base\n");
    files.file(base, "gone", "not seen\n");
    files.file(base, "large", 0644, new MemoryFileSystem.Scattered(3 << 20));
    MemoryFileSystem.Node covered = files.directory(base, "opaque");
    files.file(covered, "hidden", "not seen\n");
    MemoryFileSystem.Node merged = files.directory(base, "merged");
    files.file(merged, "below", "");
    MemoryFileSystem.Node top = files.directory(files.root, "top");
    files.device(top, "gone", 0, 0);
    MemoryFileSystem.Node opaque = files.directory(top, "opaque");
    opaque.xattrs.put("trusted.overlay.opaque", "y".getBytes(StandardCharsets.UTF_8));
    files.file(opaque, "visible", "from top\n");
    files.file(files.directory(top, "merged"), "above", "");
    mount = place.mount("layers", files);
    Mounts.mount("tmpfs", "none", place.directory("writable"), 0, "");
    place.run("mkdir writable/upper writable/work").lines();
    Mounts.mount(
        "overlay",
        "overlay",
        place.directory("root"),
        0,
        "lowerdir=%s,upperdir=%s,workdir=%s"
            .formatted(
                place.base().resolve("layers/top") + ":" + place.base().resolve("layers/base"),
                place.base().resolve("writable/upper"),
                place.base().resolve("writable/work")));
  }

  @Test
  void layersAreOneTree() throws Exception {
    assertThat(place.run("cd root && find . | LC_ALL=C sort").lines())
        .isEqualTo(
            """
            .
            ./file
            ./large
            ./merged
            ./merged/above
            ./merged/below
            ./opaque
            ./opaque/visible\
            """);
    assertThat(place.run("cat root/file root/opaque/visible").lines())
        .isEqualTo("from base\nfrom top");
    assertThat(place.run("cat root/gone").err()).contains("No such file");
    assertThat(place.run("cmp root/large layers/base/large").lines()).isEmpty();
  }

  @Test
  void filesAreCopiedUpWhenTheyAreWritten() throws Exception {
    assertThat(place.run("echo more >> root/file && cat root/file layers/base/file").lines())
        .isEqualTo("from base\nmore\nfrom base");
    String change =
        "chmod 600 root/large && mv root/large root/moved && cmp root/moved layers/base/large"
            + " && rm -r root/opaque && mkdir root/opaque && ls -A root/opaque"
            + " && stat -c %a root/moved";
    assertThat(place.run(change).lines()).isEqualTo("600");
    assertThat(place.run("ls root").lines()).isEqualTo("file\nmerged\nmoved\nopaque");
    assertThat(mount.statistics().failures()).isZero();
    assertThat(mount.statistics().refused()).isZero();
  }

  @Test
  void closingTheMountBelowLeavesErrorsAndNoHang() throws Exception {
    assertThat(place.run("cat root/file").lines()).isEqualTo("from base");
    mount.close();
    assertThat(place.run("cat root/large | wc -c").err()).contains("cat: ");
  }
}
