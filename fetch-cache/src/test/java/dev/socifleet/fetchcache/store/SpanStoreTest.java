package dev.socifleet.fetchcache.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SpanStoreTest {
  private static final int MIB = 1 << 20;
  private static final long LIMIT = 64L * MIB;

  @TempDir Path directory;

  @Test
  void aValueIsThereAfterReopeningWithItsProofs() throws Exception {
    byte[] value = TestStore.randomBytes(1, MIB);
    Digest digest = Digest.of(value);
    Proof proof = new Proof(Digest.of(new byte[] {1}), 77);
    Proof later = new Proof(new Digest("sha512", "ab".repeat(64)), Long.MAX_VALUE);
    try (TestStore store = new TestStore(directory, LIMIT)) {
      assertThat(store.put(value, proof)).isTrue();
      store.values.prove(digest, later);
    }
    try (TestStore store = new TestStore(directory, LIMIT)) {
      assertThat(store.get(digest)).isEqualTo(value);
      assertThat(store.values.isProved(digest, proof, MIB)).isTrue();
      assertThat(store.values.isProved(digest, later, MIB)).isTrue();
      assertThat(store.values.isProved(digest, new Proof(proof.blob(), 78), MIB)).isFalse();
      assertThat(store.values.isProved(digest, proof, MIB - 1)).isFalse();
      assertThat(store.get(Digest.of(new byte[] {2}))).isNull();
    }
  }

  @Test
  void theLatestProofsOfAValueAreKept() throws Exception {
    byte[] value = TestStore.randomBytes(1, 1000);
    Digest blob = Digest.of(new byte[] {1});
    try (TestStore store = new TestStore(directory, LIMIT)) {
      for (int i = 0; i < SpanEntry.MOST_PROOFS + 1; i++) {
        store.put(value, new Proof(blob, i));
      }
      assertThat(store.values.isProved(Digest.of(value), new Proof(blob, 0), 1000)).isFalse();
      for (int i = 1; i < SpanEntry.MOST_PROOFS + 1; i++) {
        assertThat(store.values.isProved(Digest.of(value), new Proof(blob, i), 1000)).isTrue();
      }
    }
  }

  @Test
  void filesStayWithinTheLimitWhateverIsWritten() throws Exception {
    long seed = 20261123;
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    List<Digest> written = new ArrayList<>();
    long peak = 0;
    try (TestStore store = new TestStore(directory, LIMIT)) {
      long total = 0;
      for (int i = 0; total < 5 * LIMIT; i++) {
        byte[] value = TestStore.randomBytes(i, 1 + random.nextInt(2 * MIB - 1));
        total += value.length;
        store.put(value);
        written.add(Digest.of(value));
        peak = Math.max(peak, store.diskBytes());
        // Some are wanted again and again.
        store.get(written.get(random.nextInt(Math.min(10, written.size()))));
      }
      assertThat(peak).isLessThan(LIMIT * 105 / 100).isGreaterThan(LIMIT * 80 / 100);
      assertThat(store.metric("soci_cache_evictions_total")).isPositive();
      long kept = 0;
      for (Digest digest : written) {
        byte[] value = store.get(digest);
        if (value != null) {
          assertThat(Digest.of(value)).isEqualTo(digest);
          kept += value.length;
        }
      }
      assertThat(kept).isBetween(LIMIT / 2, LIMIT);
      // What was wanted often is still there.
      assertThat(written.subList(0, 10)).filteredOn(store.values::has).hasSizeGreaterThan(7);
    }
    try (TestStore store = new TestStore(directory, LIMIT)) {
      assertThat(store.diskBytes()).isLessThan(LIMIT * 105 / 100);
    }
  }

  @Test
  void manyWritersAtOnceStayWithinItToo() throws Exception {
    long peak = 0;
    try (TestStore store = new TestStore(directory, LIMIT);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> writers = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        long seed = (long) i << 32;
        writers.add(
            threads.submit(() -> {
              for (int j = 0; j < 16; j++) {
                store.put(TestStore.randomBytes(seed + j, MIB));
              }
              return true;
            }));
      }
      while (!writers.stream().allMatch(Future::isDone)) {
        peak = Math.max(peak, store.diskBytes());
      }
      for (Future<?> writer : writers) {
        assertThat(writer.get()).isEqualTo(true);
      }
    }
    assertThat(peak).isLessThan(LIMIT * 105 / 100).isGreaterThan(LIMIT * 80 / 100);
  }

  @Test
  void aValueThatIsTooLargeIsNotStored() throws Exception {
    try (TestStore store = new TestStore(directory, LIMIT)) {
      assertThat(store.put(new byte[store.values.largestValue() + 1])).isFalse();
      assertThat(store.put(new byte[store.values.largestValue()])).isTrue();
    }
  }

  @Test
  void aDamagedValueIsDroppedAndTheOthersStay() throws Exception {
    byte[] damaged = TestStore.randomBytes(1, MIB);
    byte[] whole = TestStore.randomBytes(2, MIB);
    try (TestStore store = new TestStore(directory, LIMIT)) {
      store.put(damaged);
      store.put(whole);
    }
    flipByteOf(damaged);
    try (TestStore store = new TestStore(directory, LIMIT)) {
      assertThat(store.get(Digest.of(damaged))).isNull();
      assertThat(store.values.has(Digest.of(damaged))).isFalse();
      assertThat(store.metric("soci_cache_corrupt_values_total")).isEqualTo(1);
      assertThat(store.get(Digest.of(whole))).isEqualTo(whole);
      assertThat(store.put(damaged)).isTrue();
      assertThat(store.get(Digest.of(damaged))).isEqualTo(damaged);
    }
  }

  @Test
  void aValueWithOtherBytesThanItsDigestSaysIsDropped() throws Exception {
    byte[] value = TestStore.randomBytes(1, MIB);
    try (TestStore store = new TestStore(directory, LIMIT)) {
      store.put(value);
      store.database.write(opened -> {
        opened
            .rocks()
            .put(
                opened.values,
                opened.writing,
                Digest.of(value).hash(),
                TestStore.randomBytes(2, MIB));
        return true;
      });
    }
    try (TestStore store = new TestStore(directory, LIMIT)) {
      assertThat(store.values.has(Digest.of(value))).isTrue();
      assertThat(store.get(Digest.of(value))).isNull();
      assertThat(store.values.has(Digest.of(value))).isFalse();
    }
  }

  /** Changes the file that has the value, in the middle of it. */
  private void flipByteOf(byte[] value) throws IOException {
    try (Stream<Path> files = Files.list(directory.resolve("db"))) {
      for (Path file : files.filter(path -> path.toString().endsWith(".blob")).toList()) {
        byte[] content = Files.readAllBytes(file);
        for (int i = 0; i + value.length <= content.length; i++) {
          if (content[i] == value[0]
              && content[i + 1] == value[1]
              && content[i + 2] == value[2]
              && content[i + 3] == value[3]) {
            try (RandomAccessFile change = new RandomAccessFile(file.toFile(), "rw")) {
              change.seek(i + value.length / 2);
              change.write(~content[i + value.length / 2]);
            }
            return;
          }
        }
      }
    }
    throw new AssertionError("the value is in no blob file");
  }

  @Test
  void aBrokenDatabaseIsMovedAsideAndAnEmptyOneTakesItsPlace() throws Exception {
    byte[] value = TestStore.randomBytes(1, MIB);
    for (int round = 0; round < 2; round++) {
      try (TestStore store = new TestStore(directory, LIMIT)) {
        assertThat(store.get(Digest.of(value))).isNull();
        store.put(value);
      }
      Files.writeString(directory.resolve("db/CURRENT"), "nonsense\n");
    }
    try (TestStore store = new TestStore(directory, LIMIT);
        Stream<Path> files = Files.list(directory)) {
      assertThat(store.values.has(Digest.of(value))).isFalse();
      // Only the last one is kept.
      assertThat(files.map(path -> path.getFileName().toString().replaceAll("[0-9T.]+$", "")))
          .containsExactlyInAnyOrder("lock", "db", "db.broken-");
    }
  }

  @Test
  void aDatabaseWithAMissingFileIsMovedAside() throws Exception {
    byte[] value = TestStore.randomBytes(1, MIB);
    try (TestStore store = new TestStore(directory, LIMIT)) {
      store.put(value);
    }
    try (Stream<Path> files = Files.list(directory.resolve("db"))) {
      for (Path file : files.filter(path -> path.toString().endsWith(".sst")).toList()) {
        Files.delete(file);
      }
    }
    try (TestStore store = new TestStore(directory, LIMIT)) {
      assertThat(store.get(Digest.of(value))).isNull();
      assertThat(store.put(value)).isTrue();
    }
  }

  @Test
  void aDirectoryInUseIsRefused() throws Exception {
    try (TestStore store = new TestStore(directory, LIMIT)) {
      assertThat(store.put(TestStore.randomBytes(1, MIB))).isTrue();
      assertThatThrownBy(() -> new TestStore(directory, LIMIT))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("another fetch-cache uses " + directory);
    }
  }

  @Test
  void afterTheCloseEverythingFailsAndNothingCrashes() throws Exception {
    byte[] value = TestStore.randomBytes(1, MIB);
    Digest digest = Digest.of(value);
    TestStore store = new TestStore(directory, LIMIT);
    store.put(value);
    CountDownLatch running = new CountDownLatch(8);
    List<Future<?>> readers = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 8; i++) {
        readers.add(
            threads.submit(() -> {
              for (boolean first = true; store.get(digest) != null; first = false) {
                if (first) {
                  running.countDown();
                }
              }
              return true;
            }));
      }
      running.await();
      store.close();
    }
    for (Future<?> reader : readers) {
      assertThat(reader.get()).isEqualTo(true);
    }
    assertThat(store.put(TestStore.randomBytes(2, MIB))).isFalse();
    assertThatThrownBy(() -> store.values.prove(digest, new Proof(digest, 1)))
        .isInstanceOf(StoreException.class);
    store.close();
  }

  @Test
  void memoryIsGivenBack() throws Exception {
    try (TestStore store = new TestStore(directory, LIMIT)) {
      for (int i = 0; i < 200; i++) {
        byte[] value = TestStore.randomBytes(i, MIB);
        store.put(value);
        store.get(Digest.of(value));
      }
      assertThat(store.memory.usedBytes()).isZero();
    }
  }
}
