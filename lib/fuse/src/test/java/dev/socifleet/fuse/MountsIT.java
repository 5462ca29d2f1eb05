package dev.socifleet.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** mount(2) for others. */
@Timeout(value = 600, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MountsIT {
  @RegisterExtension private final MountedDirectory place = new MountedDirectory();

  @Test
  void aBindShowsADirectoryTwice() throws Exception {
    Path source = place.directory("source");
    Path target = place.directory("with space");
    Files.writeString(source.resolve("f"), "content");
    Mounts.bind(source, target, /* readOnly= */ false);
    assertThat(Mounts.isMountPoint(target)).isTrue();
    Files.writeString(target.resolve("g"), "more");
    assertThat(source.resolve("g")).exists();
    Mounts.unmount(target, /* lazy= */ false);
    assertThat(Mounts.isMountPoint(target)).isFalse();
  }

  @Test
  void aReadOnlyBindKeepsTheFlagsOfItsSource() throws Exception {
    Path source = place.directory("source");
    Path target = place.directory("target");
    Mounts.mount("tmpfs", "none", source, Mounts.NO_SUID | Mounts.NO_DEVICES, "size=1m");
    Files.writeString(source.resolve("f"), "content");
    Mounts.bind(source, target, /* readOnly= */ true);
    assertThat(MountTable.top(target).orElseThrow().flags()).contains("ro", "nosuid", "nodev");
    assertThatThrownBy(() -> Files.writeString(target.resolve("f"), "x"))
        .isInstanceOf(IOException.class);
    Files.writeString(source.resolve("f"), "still writable here");
  }

  @Test
  void aFileIsBoundToo() throws Exception {
    Path source = Files.writeString(place.base().resolve("a"), "content");
    Path target = Files.createFile(place.base().resolve("b"));
    Mounts.bind(source, target, /* readOnly= */ true);
    assertThat(Files.readString(target)).isEqualTo("content");
  }

  @Test
  void aMountInUseIsUnmountedLazilyOnly() throws Exception {
    Path target = place.directory("target");
    Mounts.mount("tmpfs", "none", target, 0, "");
    Process user = place.start("cd target && touch ../inside && exec sleep 1000");
    place.until(() -> Files.exists(place.base().resolve("inside")));
    assertThatThrownBy(() -> Mounts.unmount(target, /* lazy= */ false))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("EBUSY")
        .hasMessageContaining(target.toString());
    Mounts.unmount(target, /* lazy= */ true);
    assertThat(Mounts.isMountPoint(target)).isFalse();
    assertThat(user.isAlive()).isTrue();
  }

  @Test
  void errorsSayWhatToDo() throws Exception {
    Path target = place.directory("target");
    assertThatThrownBy(() -> Mounts.unmount(target, /* lazy= */ false))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("EINVAL")
        .hasMessageContaining("no mount point");
    assertThatThrownBy(() -> Mounts.bind(place.base().resolve("missing"), target, false))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("ENOENT")
        .hasMessageContaining("missing");
    assertThatThrownBy(() -> Mounts.mount("nosuchfs", "none", target, 0, ""))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("ENODEV")
        .hasMessageContaining("modprobe nosuchfs");
    assertThatThrownBy(() -> Mounts.mount("overlay", "overlay", target, 0, "lowerdir=/nowhere"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("overlay");
    assertThatThrownBy(() -> Mounts.mount("tmpfs", "a\0b", target, 0, ""))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("NUL");
  }

  @Test
  void optionsLongerThanAPageAreRefused() throws Exception {
    Path target = place.directory("target");
    String lower = "lowerdir=" + "/some/layer:".repeat(400);
    assertThatThrownBy(() -> Mounts.mount("overlay", "overlay", target, 0, lower))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("4809 bytes")
        .hasMessageContaining("fewer lower directories");
  }

  @Test
  void symbolicLinksAreNotUnmounted() throws Exception {
    Path target = place.directory("target");
    Mounts.mount("tmpfs", "none", target, 0, "");
    Path link = Files.createSymbolicLink(place.base().resolve("link"), target);
    assertThatThrownBy(() -> Mounts.unmount(link, /* lazy= */ true))
        .isInstanceOf(IOException.class);
    assertThat(Mounts.isMountPoint(target)).isTrue();
  }
}
