package dev.socifleet.ztoc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.ztoc.tar.EntryType;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** zTOCs that the existing tool made, byte for byte. */
class GoldenVectorsTest {
  private static final long ARCHIVE = 121856;

  @Test
  void twoEmptyFilesAreWrittenAsTheExistingMarshallerWritesThem() {
    ZtocWriter writer = new ZtocWriter("AWS SOCI CLI", 1);
    byte[] none = {};
    int[] files = new int[2];
    for (int i = 1; i >= 0; i--) {
      files[i] =
          writer.file(
              new int[] {
                writer.string(none),
                writer.string(none),
                writer.string(none),
                writer.string(none),
                writer.string(none),
                writer.string(Timestamp.ZERO.text()),
                writer.noRecords()
              },
              new long[5],
              new long[2]);
    }
    byte[] ztoc =
        writer.finish(
            writer.toc(files),
            65536,
            buffer -> buffer.put(new byte[65536]),
            List.of(),
            3,
            Compression.GZIP,
            2000000,
            2500000);

    assertThat(ztoc).hasSize(65928);
    assertThat(TestLayers.sha256(ztoc))
        .isEqualTo("eba28fdf50b1b57543f57dd051b2468c1d4f57b64d2006c75aa4de1d03e6c7ec");
  }

  @ParameterizedTest
  @CsvSource({
    "v1, 16384, 232088, e2ec682769e9c7b7a2aa5a387a62fd8c8747f0693ca176a1f124f56a89abfd20, 7,"
        + " f9c8959b1fbd5949ce7d928a536f2f9278bfb29d563a496d60a525dc06ed0df7",
    "v1, 65536, 67760, 8b60d91125d4636c7da7516b47672f910be6bd7394c0e21374e9b64f8ca9a818, 2,"
        + " 4fd3ce6a747119ee56d73ee0a5e9ce9bca2fee519f4701e1f03f73d2e7570cc7",
    "v2, 16384, 232088, a7052276af3c13dd463ff1a1011493995c95f1faed4f2860d4e8dac9b4772bf0, 7,"
        + " 0f352cf4bba4fad4eae908de7ab39bf96cba97ac1601bb5b8f963415b00da211",
    "v2, 1, 626464, ea3243a81cb8efd781f8d2bc52d764785a05b775ce0ad1be11b699786de85b29, 19,"
        + " c56f78e39e5c5b9fa8992ead013e666e19f605f2c596e7775db70139a635f5a8",
  })
  void gzipLayersGetTheExistingToolsZtoc(
      String name, long spanSize, int size, String digest, int spans, String checkpoints)
      throws Exception {
    byte[] layer = TestLayers.resource("golden/" + name + ".tar.gz");

    ZtocOutcome.Built built = TestLayers.built(layer, Compression.GZIP, spanSize);

    assertThat(built.digest()).isEqualTo("sha256:" + digest);
    assertThat(built.bytes()).hasSize(size);
    assertThat(TestLayers.sha256(built.bytes())).isEqualTo(digest);
    assertThat(built.compressedBytes()).isEqualTo(layer.length);
    assertThat(built.uncompressedBytes()).isEqualTo(ARCHIVE);
    assertThat(built.spans()).isEqualTo(spans);
    assertThat(built.files()).isEqualTo(10);
    int blob = Ztoc.parse(built.bytes()).windowOffset(0) - Checkpoints.WINDOW - Checkpoints.HEAD;
    byte[] stored =
        Arrays.copyOfRange(built.bytes(), blob, blob + Checkpoints.HEAD + Checkpoints.SIZE * spans);
    assertThat(TestLayers.sha256(stored)).isEqualTo(checkpoints);
  }

  @Test
  void plainTarGetsTheExistingToolsZtoc() {
    byte[] tar = TestLayers.tar(TestLayers.resource("golden/v1.tar.gz"), Compression.GZIP);

    ZtocOutcome.Built built = TestLayers.built(tar, Compression.UNCOMPRESSED, 16384);

    assertThat(built.bytes()).hasSize(2712);
    assertThat(built.digest())
        .isEqualTo("sha256:0ee1523560ede2b412ab861c411a2dbd91cd169f5b5b2207c46553ea9884f1ae");
    assertThat(built.spans()).isEqualTo(8);
    assertThat(built.uncompressedBytes()).isEqualTo(ARCHIVE);
    assertThat(TestLayers.sha256(ZtocWriter.tarInfo(16384, tar.length)))
        .isEqualTo("02e2172af65dbeaccbaf16dca6ae2e39f928c167d47102f0d4f4410312d3417f");
  }

  @Test
  void spansOfTheFirstVectorAreThoseOfTheTable() throws Exception {
    byte[] layer = TestLayers.resource("golden/v1.tar.gz");
    Ztoc ztoc = Ztoc.parse(TestLayers.built(layer, Compression.GZIP, 16384).bytes());

    assertThat(table(ztoc))
        .containsExactly(
            "0 10 220 0 20000 0 f4990e50951d15dc5757de9f7a7a4766bb15cda782e45589ed791b74d239069b",
            "1 219 328 20000 40000 2"
                + " 471ac13b3e822d8f76e312f7ffdd72b7cd7fa1fb5ddabcdac2c6b78dddd1eb88",
            "2 327 665 40000 60000 6"
                + " 3570bffcb3ff2acf97d66cacd22bcd4ee50670a419996fefc227bf85ff373129",
            "3 664 805 60000 80000 3"
                + " 6563622be43cea5dd35cb036a9e06d2e363d5c325e10cdfa912b5866f9132789",
            "4 804 1449 80000 100000 1"
                + " 4b09ce8fbb9d044965b5d282acfd07fc88a8a7385e93bafa7a539c1355e2ffd0",
            "5 1448 1767 100000 120000 2"
                + " 0887d0e45c9f9c1ee0d6a2d3deda0aa7a67e7761a6b35611b99d5c4ed1f5facb",
            "6 1766 1807 120000 121856 2"
                + " f722b40b16249277e517315bfc7350767cd3c3d950f17ee36b67f86b2ba5405c");
  }

  @Test
  void lastSpanBehindTheArchivesEndIsEmpty() throws Exception {
    byte[] layer = TestLayers.resource("golden/v2.tar.gz");
    Ztoc ztoc = Ztoc.parse(TestLayers.built(layer, Compression.GZIP, 1).bytes());

    assertThat(table(ztoc).get(17)).startsWith("17 1997 2057 117920 122880 ");
    assertThat(table(ztoc).get(18)).startsWith("18 2056 2067 122880 122880 ");
    assertThat(ztoc.uncompressedSize()).isEqualTo(ARCHIVE);
    assertThat(ztoc.spanAt(ARCHIVE - 1)).isEqualTo(17);
  }

  @Test
  void filesAreReadAsTheyWereInTheArchive() throws Exception {
    byte[] layer = TestLayers.resource("golden/v1.tar.gz");
    Ztoc ztoc = Ztoc.parse(TestLayers.built(layer, Compression.GZIP, 16384).bytes());

    assertThat(files(ztoc.toc()))
        .containsExactly(
            "etc/ dir 512 0 '' 755 0 0 root root 1700000000.0 0 0 {}",
            "etc/a.txt reg 1024 44800 '' 644 0 0 root root 1700000000.0 0 0 {}",
            "etc/empty reg 46592 0 '' 4755 1000 1001   1700000000.0 0 0 {}",
            "etc/link symlink 47104 0 'a.txt' 777 0 0 root root 1700000000.0 0 0 {}",
            "etc/hard hardlink 47616 0 'etc/a.txt' 644 0 0 root root 1700000000.0 0 0 {}",
            "etc/x reg 49152 30000 '' 644 0 0 root root 1700000000.250000000 0 0"
                + " {security.a=q, user.k=v1}",
            "dev/null char 79872 0 '' 666 0 0 root root 1700000000.0 1 3 {}",
            "dev/fifo fifo 80384 0 '' 600 0 0 root root 1700000000.0 0 0 {}",
            "etc/.wh.gone reg 80896 0 '' 644 0 0 root root 1700000000.0 0 0 {}",
            "big reg 81408 39000 '' 644 0 0 root root 0.0 0 0 {}");
    assertThat(ztoc.toc().paxRecords(5).stream().map(PaxRecord::keyText))
        .containsExactly("SCHILY.xattr.security.a", "SCHILY.xattr.user.k", "mtime");
    assertThat(ztoc.toc().type(1)).isEqualTo(EntryType.REGULAR);
    assertThat(ztoc.whyUnservable()).isEmpty();
  }

  private static List<String> table(Ztoc ztoc) {
    return java.util.stream.IntStream.range(0, ztoc.spanCount())
        .mapToObj(ztoc::span)
        .map(s ->
            "%d %d %d %d %d %d %s"
                .formatted(
                    s.index(),
                    s.compressedStart(),
                    s.compressedEnd(),
                    s.uncompressedStart(),
                    s.uncompressedEnd(),
                    s.bits(),
                    HexFormat.of().formatHex(s.sha256())))
        .toList();
  }

  private static List<String> files(Toc toc) {
    return java.util.stream.IntStream.range(0, toc.size())
        .mapToObj(i ->
            "%s %s %d %d '%s' %o %d %d %s %s %d.%d %d %d %s"
                .formatted(
                    toc.nameText(i),
                    toc.type(i).word(),
                    toc.offset(i),
                    toc.length(i),
                    text(toc.linkName(i)),
                    toc.mode(i),
                    toc.uid(i),
                    toc.gid(i),
                    text(toc.userName(i)),
                    text(toc.groupName(i)),
                    toc.modifiedSeconds(i),
                    toc.modifiedNanos(i),
                    toc.deviceMajor(i),
                    toc.deviceMinor(i),
                    xattrs(toc.xattrs(i))))
        .toList();
  }

  private static String xattrs(List<PaxRecord> records) {
    return records.stream()
        .map(r -> r.keyText() + "=" + text(r.value()))
        .collect(java.util.stream.Collectors.joining(", ", "{", "}"));
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
