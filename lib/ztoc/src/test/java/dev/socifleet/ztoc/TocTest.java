package dev.socifleet.ztoc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.ztoc.tar.EntryType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TocTest {
  private static final int ARRAY_HEADER = 16;

  @Test
  void aFileTakesAtMostAHundredBytesBesidesItsNamesAndRecords() throws Exception {
    int files = 20_000;
    Toc toc = toc(tar(files));

    long names = 0;
    for (int i = 0; i < files; i++) {
      names += toc.name(i).length + toc.linkName(i).length;
      for (PaxRecord record : toc.paxRecords(i)) {
        names += record.key().length + record.value().length + 2;
      }
    }

    assertThat((arrayBytes(toc) - names) / (double) files).isLessThanOrEqualTo(100);
    assertThat(Toc.BYTES_PER_FILE).isLessThanOrEqualTo(100);
  }

  @Test
  void whatIsReadIsWhatWasArchived() throws Exception {
    Toc toc = toc(tar(300));

    for (int i = 0; i < toc.size(); i++) {
      assertThat(toc.nameText(i)).isEqualTo(name(i));
      assertThat(toc.mode(i)).isEqualTo(i % 01000);
      assertThat(toc.uid(i)).isEqualTo(1000 + i % 7);
      assertThat(text(toc.userName(i))).isEqualTo("user" + i % 7);
      assertThat(text(toc.groupName(i))).isEqualTo("group" + i % 3);
      assertThat(toc.modifiedSeconds(i)).isEqualTo(1_700_000_000L + i);
      assertThat(toc.find(name(i).getBytes(StandardCharsets.UTF_8))).hasValue(i);
      boolean device = i % 50 == 7;
      assertThat(toc.type(i)).isEqualTo(device ? EntryType.CHARACTER_DEVICE : EntryType.REGULAR);
      assertThat(toc.deviceMajor(i)).isEqualTo(device ? i : 0);
      assertThat(toc.deviceMinor(i)).isEqualTo(device ? 3 : 0);
      assertThat(toc.length(i)).isEqualTo(device ? 0 : i % 5);
      assertThat(toc.xattrs(i)).hasSize(i % 10 == 0 ? 1 : 0);
    }
    assertThat(text(toc.xattrs(20).getFirst().value())).isEqualTo("v".repeat(200) + "20");
    assertThat(toc.find(new byte[] {'n', 'o'})).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"pax-sparse-0.0", "pax-sparse-0.1", "pax-sparse-1.0"})
  void sparseFilesAreMarkedAsNotServable(String name) throws Exception {
    byte[] layer = TestLayers.resource("layers/" + name + ".tar.gz");

    Ztoc ztoc = Ztoc.parse(TestLayers.built(layer, Compression.GZIP, 65536).bytes());

    assertThat(ztoc.whyUnservable()).hasValueSatisfying(why -> assertThat(why).contains("sparse"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ustar", "pax-rich", "gnu-long", "types", "whiteouts", "empty-tar"})
  void otherLayersAreServable(String name) throws Exception {
    byte[] layer = TestLayers.resource("layers/" + name + ".tar.gz");

    Ztoc ztoc = Ztoc.parse(TestLayers.built(layer, Compression.GZIP, 65536).bytes());

    assertThat(ztoc.whyUnservable()).isEmpty();
  }

  private static Toc toc(byte[] tar) throws IOException {
    return Ztoc.parse(TestLayers.built(tar, Compression.UNCOMPRESSED, 1 << 20).bytes()).toc();
  }

  private static String name(int i) {
    return "usr/lib/directory-%03d/file-%d".formatted(i / 100, i);
  }

  private static byte[] tar(int files) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes)) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
      for (int i = 0; i < files; i++) {
        boolean device = i % 50 == 7;
        TarArchiveEntry entry =
            new TarArchiveEntry(name(i), device ? TarConstants.LF_CHR : TarConstants.LF_NORMAL);
        entry.setSize(device ? 0 : i % 5);
        entry.setMode(i % 01000);
        entry.setIds(1000 + i % 7, i % 3);
        entry.setNames("user" + i % 7, "group" + i % 3);
        entry.setModTime((1_700_000_000L + i) * 1000);
        if (device) {
          entry.setDevMajor(i);
          entry.setDevMinor(3);
        }
        if (i % 10 == 0) {
          entry.addPaxHeader("SCHILY.xattr.user.k", "v".repeat(200) + i);
        }
        tar.putArchiveEntry(entry);
        tar.write(new byte[device ? 0 : i % 5]);
        tar.closeArchiveEntry();
      }
    }
    return bytes.toByteArray();
  }

  /** Bytes of all arrays that it holds; and it may hold nothing but arrays. */
  private static long arrayBytes(Toc toc) throws IllegalAccessException {
    long bytes = 0;
    for (Field field : Toc.class.getDeclaredFields()) {
      if (Modifier.isStatic(field.getModifiers())) {
        continue;
      }
      Object value = field.get(toc);
      List<?> arrays = value instanceof Object[] several ? List.of(several) : List.of(value);
      for (Object array : arrays) {
        bytes += ARRAY_HEADER;
        bytes +=
            switch (array) {
              case byte[] all -> all.length;
              case short[] all -> 2L * all.length;
              case int[] all -> 4L * all.length;
              case long[] all -> 8L * all.length;
              default -> throw new AssertionError(field + " is no array");
            };
      }
    }
    return bytes;
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
