package dev.socifleet.ztoc.inflate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(300)
class GunzipInputStreamTest {
  private static byte[] resource(String name) throws IOException {
    try (InputStream in = GunzipInputStreamTest.class.getResourceAsStream("/layers/" + name)) {
      return Objects.requireNonNull(in, name).readAllBytes();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "enc-gzip-6.tar.gz",
        "enc-members-empty.tar.gz",
        "enc-stored.tar.gz",
        "enc-igzip-3.tar.gz",
        "enc-header-all.tar.gz",
        "zero-bytes.tar.gz",
        "enc-bgzip.tar.gz"
      })
  void itReadsWhatTheJdkReads(String name) throws IOException {
    byte[] gzip = resource(name);
    byte[] expected = new GZIPInputStream(new ByteArrayInputStream(gzip)).readAllBytes();

    assertThat(Arrays.equals(read(gzip, 1), expected)).isTrue();
    assertThat(Arrays.equals(read(gzip, 4096), expected)).isTrue();
    assertThat(Arrays.equals(read(gzip, 1 << 20), expected)).isTrue();
  }

  @Test
  void aStreamThatGivesLittleAtATimeIsRead() throws IOException {
    byte[] gzip = resource("enc-mem1.tar.gz");
    byte[] expected = new GZIPInputStream(new ByteArrayInputStream(gzip)).readAllBytes();
    Random random = new Random(3);
    InputStream slow =
        new FilterInputStream(new ByteArrayInputStream(gzip)) {
          @Override
          public int read(byte[] bytes, int from, int length) throws IOException {
            return super.read(bytes, from, Math.min(length, 1 + random.nextInt(100)));
          }
        };

    byte[] decoded = new GunzipInputStream(slow).readAllBytes();

    assertThat(Arrays.equals(decoded, expected)).isTrue();
  }

  @Test
  void aCutIsAnErrorThatSaysWhere() throws IOException {
    byte[] gzip = resource("enc-gzip-6.tar.gz");
    for (int length : new int[] {0, 1, 9, 10, 11, 5000, gzip.length - 8, gzip.length - 1}) {
      byte[] cut = Arrays.copyOf(gzip, length);
      assertThatThrownBy(() -> read(cut, 4096))
          .as("cut to %d", length)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("at compressed offset " + length);
    }
  }

  private static byte[] read(byte[] gzip, int atATime) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    byte[] buffer = new byte[atATime];
    try (InputStream in = new GunzipInputStream(new ByteArrayInputStream(gzip))) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        all.write(buffer, 0, n);
      }
    }
    return all.toByteArray();
  }
}
