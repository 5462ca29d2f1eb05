package dev.socifleet.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What programs see of a mount. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class FuseMountIT {
  private MountedDirectory place;
  private final MemoryFileSystem files = new MemoryFileSystem();

  @BeforeEach
  void makePlace() throws Exception {
    place = MountedDirectory.make();
  }

  @AfterEach
  void removePlace() throws Exception {
    place.close();
  }

  @Test
  void programsSeeTheTree() throws Exception {
    MemoryFileSystem.Node etc = files.directory(files.root, "etc");
    files.file(etc, "hello", "Hello, world\n");
    files.symlink(files.root, "link", "etc/hello");
    place.mount("m", files);
    assertThat(place.run("cat m/etc/hello m/link").lines()).isEqualTo("Hello, world\nHello, world");
    assertThat(place.run("readlink m/link").lines()).isEqualTo("etc/hello");
    assertThat(place.run("cd m && find . | sort").lines())
        .isEqualTo(".\n./etc\n./etc/hello\n./link");
  }
}
