package dev.socifleet.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** How a mount begins where another was, and how it ends. */
@Timeout(value = 600, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ClosingIT {
  @RegisterExtension private final MountedDirectory place = new MountedDirectory();
  private final MemoryFileSystem files = new MemoryFileSystem();

  @BeforeEach
  void fill() throws Exception {
    files.file(files.root, "f", "content\n");
  }

  private static void assertEnded(FuseMount mount) {
    assertThat(mount.isServing()).isFalse();
    assertThat(mount.session().threads()).noneMatch(Thread::isAlive);
  }

  @Test
  void closingUnmountsAndCanBeRepeated() throws Exception {
    for (int i = 0; i < 3; i++) {
      FuseMount mount = place.mount("m", files);
      assertThat(Mounts.isMountPoint(mount.directory())).isTrue();
      assertThat(place.run("cat m/f").lines()).isEqualTo("content");
      mount.close();
      mount.close();
      assertThat(Mounts.isMountPoint(mount.directory())).isFalse();
      assertEnded(mount);
    }
    assertThat(place.run("ls m").lines()).isEmpty();
  }

  @Test
  void noDescriptorIsLeftOpen() throws Exception {
    String mine = "ls -l /proc/" + ProcessHandle.current().pid() + "/fd | grep -c /dev/fuse";
    String before = place.run(mine).out();
    FuseMount mount = place.mount("m", files);
    assertThat(place.run(mine).out()).isNotEqualTo(before);
    mount.close();
    assertThat(place.run(mine).out()).isEqualTo(before);
  }

  @Test
  void programsDoNotInheritTheConnection() throws Exception {
    place.mount("m", files);
    assertThat(place.run("ls -l /proc/self/fd").lines()).doesNotContain("/dev/fuse");
  }

  @Test
  void aMountInUseIsClosed() throws Exception {
    FuseMount mount = place.mount("m", files);
    Process user = place.start("cd m; exec 3< f; touch ../inside; read x; cat <&3; cat f");
    place.until(() -> Files.exists(place.base().resolve("inside")));
    mount.close();
    assertThat(Mounts.isMountPoint(mount.directory())).isFalse();
    assertEnded(mount);
    user.getOutputStream().close();
    assertThat(place.end(user)).isEqualTo(1);
    assertThat(place.errors(user)).contains("cat: ");
  }

  @Test
  void aMountThatSomebodyElseDetachedIsClosed() throws Exception {
    FuseMount mount = place.mount("m", files);
    Process user = place.start("cd m && touch ../inside && exec sleep 1000");
    place.until(() -> Files.exists(place.base().resolve("inside")));
    place.run("umount -l m").lines();
    assertThat(mount.isServing()).isTrue();
    mount.close();
    assertEnded(mount);
    user.destroyForcibly();
  }

  @Test
  void aMountThatSomebodyElseUnmountedIsNotServed() throws Exception {
    FuseMount mount = place.mount("m", files);
    place.run("umount m").lines();
    place.until(() -> !mount.isServing());
    // Whatever is mounted there now isn't ours.
    Mounts.mount("tmpfs", "none", place.directory("m"), 0, "");
    mount.close();
    assertThat(Mounts.isMountPoint(place.base().resolve("m"))).isTrue();
    assertEnded(mount);
  }

  @Test
  void aMountThatLivesOnInAnotherNamespaceIsClosed() throws Exception {
    FuseMount mount = place.mount("m", files);
    Process other =
        place.start("exec unshare -m --propagation private sh -c 'touch inside; read x; cat m/f'");
    place.until(() -> Files.exists(place.base().resolve("inside")));
    mount.close();
    assertEnded(mount);
    other.getOutputStream().close();
    assertThat(place.end(other)).isEqualTo(1);
    assertThat(place.errors(other)).contains("m/f");
  }

  @Test
  void theMountOfADeadServerIsReplaced() throws Exception {
    Path directory = place.directory("m");
    Process dead = place.startJava("", ServerMain.class, directory.toString());
    place.until(() -> place.output(dead).contains("serving"));
    assertThat(place.run("cat m/f").lines()).isEqualTo("from another process");
    assertThatThrownBy(() -> place.mount("m", files))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("another server")
        .hasMessageContaining("umount -l");
    dead.destroyForcibly();
    place.end(dead);
    assertThat(place.run("cat m/g").err()).contains("Transport endpoint is not connected");

    place.mount("m", files);
    assertThat(place.run("cat m/f").lines()).isEqualTo("content");
  }

  @Test
  void whoMayNotMountIsToldSo() throws Exception {
    Path directory = place.directory("m");
    Process server =
        place.startJava(
            "setpriv --bounding-set -sys_admin ", ServerMain.class, directory.toString());
    assertThat(place.end(server)).isEqualTo(1);
    assertThat(place.errors(server))
        .contains("cannot mount fuse.test")
        .contains("EPERM")
        .contains("run as root");
  }

  @Test
  void aKernelWithoutFuseIsToldSo() {
    assertThatThrownBy(() -> Device.open("/dev/no-fuse-here"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("/dev/no-fuse-here: ENOENT")
        .hasMessageContaining("modprobe fuse");
  }

  @Test
  void aDirectoryThatIsNoneIsToldSo() throws Exception {
    assertThatThrownBy(() ->
            FuseMount.start(
                place.base().resolve("missing"), files, FuseMount.Options.of("test", "t")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no directory");
    Files.createFile(place.base().resolve("file"));
    assertThatThrownBy(() ->
            FuseMount.start(place.base().resolve("file"), files, FuseMount.Options.of("test", "t")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no directory");
  }

  @Test
  void aSymbolicLinkToADirectoryIsFollowed() throws Exception {
    Path target = place.directory("target");
    Files.createSymbolicLink(place.base().resolve("link"), target);
    try (FuseMount mount =
        FuseMount.start(place.base().resolve("link"), files, FuseMount.Options.of("test", "t"))) {
      assertThat(mount.directory()).isEqualTo(target);
      assertThat(place.run("cat target/f").lines()).isEqualTo("content");
    }
  }
}
