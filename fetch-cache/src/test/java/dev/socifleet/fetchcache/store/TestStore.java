package dev.socifleet.fetchcache.store;

import dev.socifleet.oci.Digest;
import dev.socifleet.service.Metrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A store in a directory, with what belongs to it. */
final class TestStore implements AutoCloseable {
  final Database database;
  final DiskLimit limit;
  final SpanStore values;
  final ZtocStore ztocs;
  final Memory memory = new Memory(64 << 20, () -> {});
  final Metrics metrics = new Metrics();

  TestStore(Path directory, long limitBytes) throws IOException {
    database = Database.open(directory, limitBytes);
    limit = new DiskLimit(database, metrics);
    values = SpanStore.open(database, limit, metrics);
    ztocs = ZtocStore.open(database, values, memory, metrics);
  }

  static byte[] randomBytes(long seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  boolean put(byte[] value, Proof... proofs) throws InterruptedException {
    try (Memory.Reservation reserved = reserve(value.length)) {
      SpanBytes bytes = reserved.allocate(value.length);
      bytes.write(value, 0, value.length);
      try {
        return values.write(Digest.of(value), bytes, List.of(proofs));
      } finally {
        bytes.release();
      }
    }
  }

  /** The bytes of a value, or null where the store has none. */
  byte @Nullable [] get(Digest value) throws InterruptedException {
    int size = values.size(value);
    if (size < 0) {
      return null;
    }
    try (Memory.Reservation reserved = reserve(size)) {
      SpanBytes bytes = reserved.allocate(size);
      try {
        if (!values.read(value, bytes)) {
          return null;
        }
        byte[] copy = new byte[bytes.length()];
        bytes.view().get(copy);
        return copy;
      } finally {
        bytes.release();
      }
    }
  }

  private Memory.Reservation reserve(int bytes) throws InterruptedException {
    Memory.Reservation reserved = memory.reserve(bytes, Duration.ofMinutes(2));
    if (reserved == null) {
      throw new AssertionError("memory was not given back");
    }
    return reserved;
  }

  /** What lies on disk. */
  long diskBytes() throws IOException {
    try (Stream<Path> files = Files.list(database.files())) {
      return files.mapToLong(file -> file.toFile().length()).sum();
    }
  }

  double metric(String name) {
    return metrics
        .scrape()
        .lines()
        .filter(line -> line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no metric " + name));
  }

  @Override
  public void close() {
    limit.close();
    database.close();
  }
}
