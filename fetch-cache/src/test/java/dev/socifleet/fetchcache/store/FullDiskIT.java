package dev.socifleet.fetchcache.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A store on a file system without room; needs root to mount one. */
class FullDiskIT {
  private static final int MIB = 1 << 20;

  @TempDir Path directory;
  private boolean mounted;

  @BeforeEach
  void mount() throws Exception {
    mounted = run("mount", "-t", "tmpfs", "-o", "size=192m", "tmpfs", directory.toString());
    if (!mounted && System.getenv("CI") != null) {
      throw new AssertionError("CI must be able to mount a tmpfs");
    }
    assumeTrue(mounted, "a tmpfs can't be mounted: this needs root");
  }

  @AfterEach
  void unmount() throws Exception {
    if (mounted) {
      assertThat(run("umount", directory.toString())).isTrue();
    }
  }

  private static boolean run(String... command) throws IOException, InterruptedException {
    return new ProcessBuilder(command).inheritIO().start().waitFor() == 0;
  }

  @Test
  void nothingIsStoredWithoutRoomAndLaterItIsAgain() throws Exception {
    Path others = directory.resolve("others");
    byte[] first = TestStore.randomBytes(0, MIB);
    try (TestStore store = new TestStore(directory.resolve("cache"), 1L << 30)) {
      assertThat(store.put(first)).isTrue();
      // Somebody else takes the room.
      Files.write(others, new byte[100 * MIB]);
      await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> !store.put(TestStore.randomBytes(System.nanoTime(), MIB)));
      assertThat(store.metric("soci_cache_unstored_values_total")).isPositive();
      assertThat(store.get(Digest.of(first))).isEqualTo(first);

      Files.delete(others);
      byte[] later = TestStore.randomBytes(-1, MIB);
      await().atMost(Duration.ofSeconds(20)).until(() -> store.put(later));
      assertThat(store.get(Digest.of(later))).isEqualTo(later);
      assertThat(store.get(Digest.of(first))).isEqualTo(first);
    }
  }

  @Test
  void afterFailedWritesTheStoreComesBack() throws Exception {
    Path others = directory.resolve("others");
    byte[] first = TestStore.randomBytes(0, MIB);
    try (TestStore store = new TestStore(directory.resolve("cache"), 1L << 30)) {
      assertThat(store.put(first)).isTrue();
      store.database.here(opened -> {
        opened.flush();
        return true;
      });
      assertThat(store.put(TestStore.randomBytes(1, MIB))).isTrue();
      fill(others);
      try {
        store.database.here(opened -> {
          opened.flush();
          return true;
        });
        throw new AssertionError("a flush succeeded without room");
      } catch (StoreException e) {
        assertThat(e).hasMessageContaining("No space left");
      }
      store.limit.writeFailed();
      assertThat(store.put(TestStore.randomBytes(2, MIB))).isFalse();

      Files.delete(others);
      byte[] later = TestStore.randomBytes(-1, MIB);
      await().atMost(Duration.ofSeconds(60)).until(() -> store.put(later));
      assertThat(store.get(Digest.of(later))).isEqualTo(later);
      assertThat(store.get(Digest.of(first))).isEqualTo(first);
    }
  }

  private static void fill(Path file) throws IOException {
    try (var out = Files.newOutputStream(file)) {
      byte[] some = new byte[64 << 10];
      while (true) {
        out.write(some);
      }
    } catch (IOException e) {
      assertThat(e).hasMessageContaining("No space left");
    }
  }
}
