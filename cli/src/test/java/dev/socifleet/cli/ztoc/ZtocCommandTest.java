package dev.socifleet.cli.ztoc;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.socifleet.cli.RunSoci;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(600)
class ZtocCommandTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path directory;
  private Path layer;
  private Path ztoc;
  private byte[] large;

  /** What a command printed, and how it ended. */
  private record Ended(int status, String out, String err) {
    JsonNode json() throws IOException {
      assertThat(err).isEmpty();
      assertThat(status).isZero();
      return JSON.readTree(out);
    }

    /** The one line on stderr. */
    String failure() {
      assertThat(status).isEqualTo(1);
      assertThat(out).isEmpty();
      assertThat(err.lines()).hasSize(1);
      return err.strip();
    }
  }

  @BeforeEach
  void makeLayer() throws IOException {
    large = new byte[300_000];
    new Random(4).nextBytes(large);
    layer = directory.resolve("layer.tar.gz");
    ztoc = directory.resolve("layer.ztoc");
    Files.write(layer, gzip(tar(large)));
  }

  private Ended soci(Object... arguments) {
    RunSoci.Ended ended =
        RunSoci.soci(
            Stream.concat(Stream.of("ztoc"), Arrays.stream(arguments).map(Object::toString))
                .toList());
    return new Ended(ended.exit(), ended.out(), ended.err());
  }

  private void build() {
    assertThat(soci("build", layer, "--span-size", 50_000, "-o", ztoc).status()).isZero();
  }

  @Test
  void buildDescribesAndWritesTheZtoc() throws Exception {
    JsonNode built = soci("build", layer, "--span-size", 50_000, "--output", ztoc, "--json").json();

    byte[] bytes = Files.readAllBytes(ztoc);
    assertThat(built.get("digest").asText()).isEqualTo("sha256:" + sha256(bytes));
    assertThat(built.get("size").asLong()).isEqualTo(bytes.length);
    assertThat(built.get("spanSize").asLong()).isEqualTo(50_000);
    assertThat(built.get("spans").asInt()).isGreaterThan(1);
    assertThat(built.get("files").asInt()).isEqualTo(6);
    assertThat(built.get("compressedSize").asLong()).isEqualTo(Files.size(layer));
    assertThat(built.get("uncompressedSize").asLong()).isGreaterThan(large.length);
    assertThat(built.get("output").asText()).isEqualTo(ztoc.toString());
    try (var files = Files.list(directory)) {
      assertThat(files).containsExactlyInAnyOrder(layer, ztoc);
    }
  }

  @Test
  void buildWithoutOutputOnlyDescribes() {
    Ended ended = soci("build", layer);

    assertThat(ended.status()).isZero();
    assertThat(ended.out()).startsWith("sha256:").contains("6 files").contains("1 spans");
    assertThat(ztoc).doesNotExist();
  }

  @Test
  void aPlainTarIsALayerToo() throws Exception {
    Files.write(layer, tar(large));

    JsonNode built = soci("build", layer, "--span-size", 50_000, "-o", ztoc, "--json").json();

    assertThat(built.get("compressedSize").asLong())
        .isGreaterThanOrEqualTo(built.get("uncompressedSize").asLong());
    assertThat(soci("verify", layer, ztoc).out()).startsWith("ok: ");
  }

  @Test
  void whatCannotBeIndexedIsOneLine() throws Exception {
    byte[] bytes = Files.readAllBytes(layer);
    Files.write(layer, Arrays.copyOf(bytes, bytes.length / 2));
    assertThat(soci("build", layer, "-o", ztoc).failure())
        .startsWith("soci: " + layer + " cannot be indexed: compressed data ends")
        .matches(".* at compressed offset \\d+");

    Files.write(layer, new byte[] {0x28, (byte) 0xb5, 0x2f, (byte) 0xfd, 0});
    assertThat(soci("build", layer).failure()).contains("zstd");

    Files.writeString(layer, "no tar at all".repeat(100));
    assertThat(soci("build", layer).failure()).contains("tar: invalid header");
    assertThat(ztoc).doesNotExist();
  }

  @Test
  void filesThatAreNotThereAreOneLine() {
    Path none = directory.resolve("none");
    assertThat(soci("build", none).failure())
        .isEqualTo("soci: cannot read layer " + none + ": no such file");
    assertThat(soci("build", directory).failure())
        .isEqualTo("soci: cannot read layer " + directory + ": it is a directory");
    assertThat(soci("list", none).failure())
        .isEqualTo("soci: cannot read zTOC " + none + ": no such file");
    assertThat(soci("build", layer, "-o", none.resolve("x")).failure())
        .isEqualTo("soci: cannot write " + none.resolve("x") + ": no such directory");
    assertThat(soci("info", layer).failure())
        .startsWith("soci: cannot read zTOC " + layer + ": malformed zTOC at offset");
  }

  @ParameterizedTest
  @CsvSource({"--span-size, 0", "--span-size, -5", "--span-size, x", "--max-size, 0"})
  void wrongNumbersAreWrongUsage(String option, String value) {
    Ended ended = soci("build", layer, option, value);

    assertThat(ended.status()).isEqualTo(2);
    assertThat(ended.out()).isEmpty();
  }

  @Test
  void aZtocLargerThanAllowedIsRefused() {
    assertThat(soci("build", layer, "--span-size", 1, "--max-size", 20_000).failure())
        .contains("the zTOC would be larger than 20000 bytes");
  }

  @Test
  void verifyAcceptsWhatFits() throws Exception {
    build();

    JsonNode verified = soci("verify", layer, ztoc, "--json").json();

    assertThat(verified.get("ok").asBoolean()).isTrue();
    assertThat(verified.get("files").asInt()).isEqualTo(6);
    assertThat(verified.get("servable").asBoolean()).isTrue();
  }

  @Test
  void verifyRefusesWhatDoesNotFit() throws Exception {
    build();
    byte[] bytes = Files.readAllBytes(layer);
    bytes[bytes.length / 2] ^= 1;
    Files.write(layer, bytes);
    assertThat(soci("verify", layer, ztoc).failure())
        .startsWith("soci: " + layer + " does not fit " + ztoc + ": ");

    Files.write(layer, gzip(tar(new byte[5])));
    assertThat(soci("verify", layer, ztoc, "--json").failure()).contains("does not fit");
  }

  @Test
  void infoIsTheExistingToolsDocument() throws Exception {
    build();

    Ended ended = soci("info", ztoc);

    JsonNode info = ended.json();
    assertThat(ended.out()).startsWith("{\n  \"version\": \"0.9\",\n  \"build_tool\": \"AWS SOCI");
    assertThat(info.get("size").asLong()).isEqualTo(Files.size(ztoc));
    assertThat(info.get("span_size").asLong()).isEqualTo(50_000);
    assertThat(info.get("num_files").asInt()).isEqualTo(6);
    assertThat(info.get("num_multi_span_files").asInt()).isEqualTo(1);
    JsonNode file = info.get("files").get(1);
    assertThat(file.get("filename").asText()).isEqualTo("usr/large");
    assertThat(file.get("size").asLong()).isEqualTo(large.length);
    assertThat(file.get("type").asText()).isEqualTo("reg");
    assertThat(file.get("start_span").asInt()).isZero();
    assertThat(file.get("end_span").asInt()).isEqualTo(info.get("num_spans").asInt() - 1);
  }

  @Test
  void listShowsFilesAsTarDoes() throws Exception {
    build();

    assertThat(soci("list", ztoc).out().lines())
        .contains(
            "drwxr-xr-x root/root                   0 2023-11-14 22:13 usr/",
            "-rwsr-xr-t 1000/1001              300000 2023-11-14 22:13 usr/large",
            "lrwxrwxrwx root/root                   0 2023-11-14 22:13 usr/link -> large",
            "crw-rw-rw- root/root                 1,3 2023-11-14 22:13 dev/null",
            "-rw-r--r-- root/root                   5 2023-11-14 22:13 usr/bell\\007");
    assertThat(soci("ls", "-q", ztoc).out().lines())
        .containsExactly("usr/", "usr/large", "usr/link", "usr/hard", "dev/null", "usr/bell\\007");
    JsonNode last = JSON.readTree(soci("list", "--json", ztoc).out().lines().toList().get(1));
    assertThat(last.get("mode").asText()).isEqualTo("5755");
    assertThat(last.get("modified").asText()).isEqualTo("2023-11-14T22:13:20Z");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "usr/large",
        "/usr/large",
        "./usr//large",
        "usr/link",
        "usr/hard",
        "usr/../usr/link"
      })
  void getFileReadsExactlyTheFilesBytes(String name) throws Exception {
    build();
    Path output = directory.resolve("output");

    JsonNode got = soci("get-file", ztoc, name, "--layer", layer, "-o", output, "--json").json();

    assertThat(Files.readAllBytes(output)).isEqualTo(large);
    assertThat(got.get("size").asLong()).isEqualTo(large.length);
  }

  @Test
  void getFileSaysWhatItCannotRead() throws Exception {
    build();
    Path output = directory.resolve("output");

    assertThat(soci("get-file", ztoc, "usr/none", "--layer", layer, "-o", output).failure())
        .contains("there is no usr/none in the layer");
    assertThat(soci("get-file", ztoc, "dev/null", "--layer", layer, "-o", output).failure())
        .contains("no regular file, but of type char");
    assertThat(soci("get-file", ztoc, "usr/large", "--layer", layer, "--json").status())
        .isEqualTo(2);
    byte[] bytes = Files.readAllBytes(layer);
    bytes[bytes.length / 2] ^= 1;
    Files.write(layer, bytes);
    assertThat(soci("get-file", ztoc, "usr/large", "--layer", layer, "-o", output).failure())
        .contains("cannot read usr/large in " + layer + ": span ");
    assertThat(output).doesNotExist();
  }

  @Test
  void everyCommandHasHelp() {
    for (String command : new String[] {"build", "verify", "info", "list", "get-file"}) {
      Ended ended = soci(command, "--help");
      assertThat(ended.status()).isZero();
      assertThat(ended.out()).startsWith("Usage: soci ztoc " + command).contains("Example");
    }
    assertThat(soci().out()).contains("build").contains("get-file");
  }

  private static byte[] tar(byte[] large) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes)) {
      add(tar, new TarArchiveEntry("usr/"), 0755, new byte[0]);
      TarArchiveEntry owned = new TarArchiveEntry("usr/large");
      owned.setIds(1000, 1001);
      owned.setNames("", "");
      add(tar, owned, 05755, large);
      TarArchiveEntry link = new TarArchiveEntry("usr/link", TarConstants.LF_SYMLINK);
      link.setLinkName("large");
      add(tar, link, 0777, new byte[0]);
      TarArchiveEntry hard = new TarArchiveEntry("usr/hard", TarConstants.LF_LINK);
      hard.setLinkName("usr/large");
      add(tar, hard, 0644, new byte[0]);
      TarArchiveEntry device = new TarArchiveEntry("dev/null", TarConstants.LF_CHR);
      device.setDevMajor(1);
      device.setDevMinor(3);
      add(tar, device, 0666, new byte[0]);
      add(
          tar,
          new TarArchiveEntry("usr/bell\u0007"),
          0644,
          "small".getBytes(StandardCharsets.UTF_8));
    }
    return bytes.toByteArray();
  }

  private static void add(TarArchiveOutputStream tar, TarArchiveEntry entry, int mode, byte[] data)
      throws IOException {
    entry.setMode(mode);
    entry.setModTime(1_700_000_000_000L);
    entry.setSize(data.length);
    if (entry.getLongUserId() == 0) {
      entry.setNames("root", "root");
    }
    tar.putArchiveEntry(entry);
    tar.write(data);
    tar.closeArchiveEntry();
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream compressed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(compressed)) {
      gzip.write(bytes);
    }
    return compressed.toByteArray();
  }

  private static String sha256(byte[] bytes) throws Exception {
    return HexFormat.of()
        .formatHex(java.security.MessageDigest.getInstance("SHA-256").digest(bytes));
  }
}
