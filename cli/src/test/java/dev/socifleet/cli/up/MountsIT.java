package dev.socifleet.cli.up;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.testing.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MountsIT {
  @TempDir Path directory;

  private static void mount(Path at) throws Exception {
    Files.createDirectories(at);
    Process mount =
        new ProcessBuilder("mount", "-t", "tmpfs", "none", at.toString()).inheritIO().start();
    assertThat(mount.waitFor()).isZero();
  }

  @AfterEach
  void detach() throws Exception {
    if ("root".equals(System.getProperty("user.name"))) {
      Mounts.detachBelow(directory);
    }
  }

  @Test
  void everythingBelowIsDetachedInnermostFirstAndNothingBeside() throws Exception {
    Needs.root();
    Path state = directory.toRealPath().resolve("a state");
    Path beside = directory.toRealPath().resolve("a state beside");
    mount(state.resolve("outer"));
    mount(state.resolve("outer/in ner"));
    mount(beside);

    assertThat(Mounts.below(state))
        .isEqualTo(List.of(state.resolve("outer/in ner"), state.resolve("outer")));
    Mounts.detachBelow(state);

    assertThat(Mounts.below(state)).isEmpty();
    assertThat(Mounts.below(beside)).containsExactly(beside);
  }

  @Test
  void aDirectoryThatIsNotThereHasNothingMounted() throws Exception {
    Mounts.detachBelow(directory.resolve("none/at/all"));
    assertThat(Mounts.below(directory.resolve("none"))).isEmpty();
  }
}
