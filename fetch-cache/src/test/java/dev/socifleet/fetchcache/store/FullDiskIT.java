package dev.socifleet.fetchcache.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.socifleet.fetchcache.SmallDisk;
import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A store on a file system without room. */
class FullDiskIT {
  private static final int MIB = 1 << 20;

  @TempDir Path directory;

  @Test
  void nothingIsStoredWithoutRoomAndLaterItIsAgain() throws Exception {
    Path others = directory.resolve("others");
    byte[] first = TestStore.randomBytes(0, MIB);
    try (SmallDisk _ = SmallDisk.mount(directory, 192);
        TestStore store = new TestStore(directory.resolve("cache"), 1L << 30)) {
      assertThat(store.put(first)).isTrue();
      // Somebody else takes the room.
      Files.write(others, new byte[100 * MIB]);
      await()
          .atMost(Duration.ofMinutes(2))
          .until(() -> !store.put(TestStore.randomBytes(System.nanoTime(), MIB)));
      assertThat(store.metric("soci_cache_unstored_values_total")).isPositive();
      assertThat(store.get(Digest.of(first))).isEqualTo(first);

      Files.delete(others);
      byte[] later = TestStore.randomBytes(-1, MIB);
      await().atMost(Duration.ofMinutes(2)).until(() -> store.put(later));
      assertThat(store.get(Digest.of(later))).isEqualTo(later);
      assertThat(store.get(Digest.of(first))).isEqualTo(first);
    }
  }

  @Test
  void afterFailedWritesTheStoreComesBack() throws Exception {
    Path others = directory.resolve("others");
    byte[] first = TestStore.randomBytes(0, MIB);
    try (SmallDisk _ = SmallDisk.mount(directory, 192);
        TestStore store = new TestStore(directory.resolve("cache"), 1L << 30)) {
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
      await().atMost(Duration.ofMinutes(2)).until(() -> store.put(later));
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
