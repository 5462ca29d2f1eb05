package dev.socifleet.fetchcache.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.oci.Digest;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A store whose process is killed in the middle of its writing. */
class KilledStoreIT {
  private static final long LIMIT = 256L << 20;
  private static final int VALUE = 300_000;

  @TempDir Path directory;

  /** The process that is killed: writes values for good, telling the number of each. */
  static final class Writer {
    public static void main(String[] args) throws Exception {
      try (TestStore store = new TestStore(Path.of(args[0]), LIMIT)) {
        for (int i = Integer.parseInt(args[1]); ; i++) {
          byte[] value = TestStore.randomBytes(i, VALUE);
          store.put(value, new Proof(Digest.of(value), i));
          System.out.println(i);
        }
      }
    }
  }

  @Test
  void recentValuesAreLostAndNoneIsDamaged() throws Exception {
    int next = 0;
    for (int round = 0; round < 3; round++) {
      int from = next;
      Process writer =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "--enable-native-access=ALL-UNNAMED",
                  "-Xmx256m",
                  "-cp",
                  System.getProperty("java.class.path"),
                  Writer.class.getName(),
                  directory.toString(),
                  Integer.toString(from))
              .redirectError(Redirect.INHERIT)
              .start();
      try (BufferedReader told =
          new BufferedReader(
              new InputStreamReader(writer.getInputStream(), StandardCharsets.US_ASCII))) {
        for (String line = told.readLine(); line != null; line = told.readLine()) {
          next = Integer.parseInt(line) + 1;
          if (next == from + 200) {
            writer.toHandle().destroyForcibly(); // SIGKILL, with its output still readable
          }
        }
      } finally {
        writer.destroyForcibly().waitFor();
      }
      assertThat(next).isGreaterThanOrEqualTo(from + 200);
      assertWholeUpTo(next);
    }
  }

  private void assertWholeUpTo(int written) throws Exception {
    try (TestStore store = new TestStore(directory, LIMIT)) {
      int there = 0;
      List<Integer> indexed = new ArrayList<>();
      for (int i = 0; i < written; i++) {
        byte[] value = TestStore.randomBytes(i, VALUE);
        Digest digest = Digest.of(value);
        if (store.values.has(digest)) {
          indexed.add(i);
          assertThat(store.get(digest)).isEqualTo(value);
          assertThat(store.values.isProved(digest, new Proof(digest, i), VALUE)).isTrue();
          there++;
        }
      }
      System.out.println(there + " of " + written + " values survived");
      assertThat(indexed).isNotEmpty();
      assertThat(store.metric("soci_cache_corrupt_values_total")).isZero();
      assertThat(store.metric("soci_cache_lost_values_total")).isZero();
    }
  }
}
