package dev.socifleet.cli.convert;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.cli.RunSoci.Ended;
import dev.socifleet.testing.Needs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Layouts in and out, as files: tars, places that are taken, damage, and skopeo as the judge. */
@Timeout(1200)
class StandaloneConvertIT {
  private static final JsonMapper JSON = new JsonMapper();
  private static final List<String> ALL = List.of("--min-layer-size", "0", "--all-platforms");

  private static Vectors vectors;
  @TempDir private Path directory;

  @BeforeAll
  static void open() throws IOException {
    vectors = new Vectors();
  }

  private static JsonNode root(Path layout) throws IOException {
    return JSON.readTree(layout.resolve("index.json").toFile()).path("manifests").path(0);
  }

  private static void run(Path in, String... command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command).directory(in.toFile()).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(3, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).as(output).isZero();
  }

  @Test
  void aTarGivesTheSameImageAsADirectory() throws Exception {
    Path in = vectors.copy("multi", directory.resolve("in"));
    run(in, "tar", "-cf", "../in.tar", "./index.json", "blobs", "oci-layout");

    Path fromDirectory = directory.resolve("a");
    Path fromTar = directory.resolve("b");
    assertThat(RunConvert.standalone("oci-dir", in, fromDirectory, ALL).failure()).isEmpty();
    assertThat(
            RunConvert.standalone("oci-dir", directory.resolve("in.tar"), fromTar, ALL).failure())
        .isEmpty();

    assertThat(root(fromTar)).isEqualTo(root(fromDirectory));
  }

  @Test
  void archivesAreTheSameEveryTimeAndCanBeConvertedAgain() throws Exception {
    Path in = vectors.copy("multi", directory.resolve("in"));
    Path once = directory.resolve("once.tar");
    Path twice = directory.resolve("twice.tar");
    Path again = directory.resolve("again.tar");

    assertThat(RunConvert.standalone("oci-archive", in, once, ALL).failure()).isEmpty();
    assertThat(RunConvert.standalone("oci-archive", in, twice, ALL).failure()).isEmpty();
    Ended converted = RunConvert.standalone("oci-archive", once, again, ALL);

    assertThat(Files.mismatch(once, twice)).isEqualTo(-1);
    assertThat(converted.failure()).isEmpty();
    assertThat(Files.mismatch(once, again)).isEqualTo(-1);
  }

  @Test
  void aPlatformIsAddedToAConvertedImage() throws Exception {
    Path in = vectors.copy("multi", directory.resolve("in"));
    Path one = directory.resolve("one");
    Path both = directory.resolve("both");
    Path direct = directory.resolve("direct");
    List<String> amd64 = List.of("--min-layer-size", "0", "--platform", "linux/amd64");
    List<String> arm64 = List.of("--min-layer-size", "0", "--platform", "linux/arm64");

    assertThat(RunConvert.standalone("oci-dir", in, one, amd64).failure()).isEmpty();
    assertThat(RunConvert.standalone("oci-dir", one, both, arm64).failure()).isEmpty();
    assertThat(
            RunConvert.standalone(
                    "oci-dir",
                    in,
                    direct,
                    List.of("--min-layer-size", "0", "--platform", "linux/amd64,linux/arm64"))
                .failure())
        .isEmpty();

    assertThat(root(both)).isEqualTo(root(direct));
  }

  @Test
  void aLayoutCanTakeItsOwnPlace() throws Exception {
    Path in = vectors.copy("single", directory.resolve("in"));

    Ended ended = RunConvert.standalone("oci-dir", in, in, ALL);

    assertThat(ended.failure()).isEmpty();
    assertThat(ended.out().lines().toList())
        .contains(
            "manifest sha256:80361831daafe278a30f38b2cd2ffdbb1523cb79128e0621b30e8eddaf7bb639 -> "
                + "sha256:55339d065e359b96de331545cdfb9e16cee1dd457d9b792728a2d35e208c31d8");
    assertThat(root(in).path("digest").asText())
        .isEqualTo("sha256:cd5ddc7b8fd1ae3a58cd1394bde3f44a33564845837937360a8b10116dbb737f");
    assertThat(directory).isDirectoryNotContaining("glob:**/.in.soci-*");
  }

  @Test
  void whatIsNoLayoutIsNeverDeleted() throws Exception {
    Path in = vectors.copy("single", directory.resolve("in"));
    Path taken = Files.createDirectory(directory.resolve("photos"));
    Files.writeString(taken.resolve("summer"), "dear");

    Ended ended = RunConvert.standalone("oci-dir", in, taken, ALL);

    assertThat(ended.exit()).isNotZero();
    assertThat(ended.failure()).contains("is no OCI image layout").hasLineCount(1);
    assertThat(taken.resolve("summer")).hasContent("dear");
  }

  @Test
  void aDamagedLayerIsAnErrorAndLeavesNothing() throws Exception {
    Path in = vectors.copy("single", directory.resolve("in"));
    Path layer =
        in.resolve("blobs/sha256/1d3033e94be0e1fccc4d398c8b2b477049274543c2aab1eee508c40d19280b76");
    byte[] bytes = Files.readAllBytes(layer);
    bytes[bytes.length / 2] ^= 1;
    Files.write(layer, bytes);
    Path out = directory.resolve("out.tar");

    Ended ended = RunConvert.standalone("oci-archive", in, out, ALL);

    assertThat(ended.failure()).contains("is damaged").hasLineCount(1);
    assertThat(out).doesNotExist();
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files.map(p -> p.getFileName().toString())).containsExactly("in");
    }
  }

  @Test
  void badInputIsOneLine() throws Exception {
    Path text = Files.writeString(directory.resolve("text"), "not a tar at all".repeat(100));
    Path gzip = Files.write(directory.resolve("gzip"), new byte[] {0x1f, (byte) 0x8b, 8, 0});
    Path empty = Files.createDirectory(directory.resolve("empty"));
    for (Path in : List.of(text, gzip, empty, directory.resolve("absent"))) {
      Ended ended = RunConvert.standalone("oci-dir", in, directory.resolve("out"), ALL);

      assertThat(ended.exit()).isNotZero();
      assertThat(ended.failure()).hasLineCount(1).contains(in.toString());
      assertThat(directory.resolve("out")).doesNotExist();
    }
  }

  @Test
  void skopeoReadsWhatWasConverted() throws Exception {
    Needs.programs("skopeo");
    for (String image : List.of("multi", "docker-list", "duplicate-layers", "attested")) {
      Path in = vectors.copy(image, directory.resolve(image));
      Path out = directory.resolve(image + ".tar");
      assertThat(RunConvert.standalone("oci-archive", in, out, ALL).failure()).isEmpty();

      run(
          directory,
          "skopeo",
          "copy",
          "--quiet",
          "--multi-arch=all",
          "oci-archive:" + out,
          "dir:" + directory.resolve(image + "-copied"));
    }
  }
}
