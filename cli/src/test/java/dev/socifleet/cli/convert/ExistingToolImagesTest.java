package dev.socifleet.cli.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.cli.RunSoci.Ended;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.Platforms;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Converted layouts are what the existing tool makes, to the byte, but for what is listed. */
@Timeout(1200)
class ExistingToolImagesTest {
  private static final JsonMapper JSON = new JsonMapper();

  /** Runs whose results differ on purpose; other tests here show ours. */
  private static final Set<String> DIFFERENT =
      Set.of(
          "attested convert min0",
          "attested convert min50k-span64k",
          "attested convert all",
          "nested convert min0",
          "nested convert min50k-span64k",
          "nested convert all",
          "no-platform-index convert min0",
          "no-platform-index convert min50k-span64k",
          "no-platform-index convert all",
          "one-bad-layer convert min0",
          "one-bad-layer convert min50k-span64k",
          "one-bad-layer convert all",
          "one-odd-layer convert min0",
          "one-odd-layer convert all",
          "multi-one-bad convert all",
          "single convert span-zero",
          "multi convert span-zero",
          "uncompressed convert span-zero");

  private static Vectors vectors;
  @TempDir private Path directory;

  @BeforeAll
  static void open() throws IOException {
    vectors = new Vectors();
  }

  @TestFactory
  Stream<DynamicTest> everyImage() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    for (String image : vectors.names()) {
      for (Map.Entry<String, JsonNode> run : vectors.results(image).properties()) {
        String name = image + " " + run.getKey();
        if (run.getKey().startsWith("convert ") && !DIFFERENT.contains(name)) {
          tests.add(DynamicTest.dynamicTest(name, () -> isTheSame(image, run.getValue())));
        }
      }
    }
    assertThat(tests).hasSizeGreaterThan(80);
    return tests.stream();
  }

  private void isTheSame(String image, JsonNode recorded) throws IOException {
    List<String> arguments = new ArrayList<>();
    recorded.path("args").forEach(argument -> arguments.add(argument.asText()));
    boolean platform = arguments.contains("--platform") || arguments.contains("--all-platforms");
    assumeTrue(
        platform || Platforms.host().architecture().equals("amd64"),
        "recorded on amd64, whose platform is the default");

    Path scratch = Files.createTempDirectory(directory, image);
    Path out = scratch.resolve("out");
    Ended ended =
        RunConvert.standalone(
            "oci-dir", vectors.copy(image, scratch.resolve("in")), out, arguments);

    if (recorded.path("exit").asInt() != 0) {
      assertThat(ended.exit()).as(ended.out()).isNotZero();
      assertThat(ended.failure()).hasLineCount(1);
      assertThat(scratch).isDirectoryNotContaining("glob:**out*");
      return;
    }
    assertThat(ended.failure()).isEmpty();
    assertThat(out.resolve("index.json")).hasContent(recorded.path("index.json").asText());
    Map<String, byte[]> blobs = blobs(out);
    Set<String> expected = new TreeSet<>();
    for (Map.Entry<String, JsonNode> document : recorded.path("new-json").properties()) {
      expected.add(document.getKey());
      assertThat(new String(blobs.get(document.getKey()), StandardCharsets.UTF_8))
          .isEqualTo(document.getValue().asText());
    }
    for (Map.Entry<String, JsonNode> other : recorded.path("other-blobs").properties()) {
      expected.add(other.getKey());
      assertThat(blobs).containsKey(other.getKey());
      if (other.getValue().isNumber()) {
        assertThat(blobs.get(other.getKey())).hasSize(other.getValue().asInt());
      }
    }
    assertThat(blobs.keySet()).isEqualTo(expected);
    assertThat(lines(ended.out())).containsAll(lines(recorded.path("stdout").asText()));
  }

  private static Set<String> lines(String text) {
    return new TreeSet<>(text.lines().filter(line -> !line.isBlank()).toList());
  }

  /** Every blob of a layout, which must have the digest that it is named for. */
  private static Map<String, byte[]> blobs(Path layout) throws IOException {
    Map<String, byte[]> blobs = new TreeMap<>();
    try (Stream<Path> files = Files.list(layout.resolve("blobs/sha256"))) {
      for (Path file : files.toList()) {
        byte[] bytes = Files.readAllBytes(file);
        assertThat(Digest.of(bytes).hex()).isEqualTo(file.getFileName().toString());
        blobs.put("sha256:" + file.getFileName(), bytes);
      }
    }
    return blobs;
  }

  /** A converted layout's image index. */
  private JsonNode converted(String image, String... arguments) throws IOException {
    Path scratch = Files.createTempDirectory(directory, image);
    Path out = scratch.resolve("out");
    Ended ended =
        RunConvert.standalone(
            "oci-dir", vectors.copy(image, scratch.resolve("in")), out, List.of(arguments));
    assertThat(ended.failure()).isEmpty();
    JsonNode root = JSON.readTree(out.resolve("index.json").toFile());
    return JSON.readTree(blobs(out).get(root.path("manifests").path(0).path("digest").asText()));
  }

  @Test
  void anAttestationPointsAtTheConvertedImage() throws Exception {
    JsonNode entries =
        converted("attested", "--min-layer-size", "0", "--all-platforms").path("manifests");

    JsonNode attestation = entries.path(1);
    assertThat(attestation.path("annotations").path("vnd.docker.reference.digest").asText())
        .isEqualTo(entries.path(0).path("digest").asText())
        .isEqualTo("sha256:be53a266906efaddc0cfdaa424973e85a3d8780b2f0011602da19968d56dac7d");
    assertThat(attestation.path("annotations").path("vnd.docker.reference.type").asText())
        .isEqualTo("attestation-manifest");
    assertThat(attestation.path("digest").asText())
        .isEqualTo("sha256:f0e172ea002f8981d0c59baa14b8fb978a00b506f2c653cad8a45ebfa07e94de");
  }

  @Test
  void anEntryWithoutPlatformGetsItsImagesOwn() throws Exception {
    JsonNode entries =
        converted("no-platform-index", "--min-layer-size", "0", "--platform", "linux/amd64")
            .path("manifests");

    assertThat(entries).hasSize(3);
    assertThat(entries.path(0).path("platform").path("architecture").asText()).isEqualTo("amd64");
    assertThat(entries.path(0).path("annotations").has("com.amazon.soci.index-digest")).isTrue();
    assertThat(entries.path(1).path("platform").path("architecture").asText()).isEqualTo("arm64");
    assertThat(entries.path(2).path("artifactType").asText())
        .isEqualTo("application/vnd.amazon.soci.index.v2+json");
  }

  @Test
  void aNestedIndexIsWalked() throws Exception {
    JsonNode entries =
        converted("nested", "--min-layer-size", "0", "--all-platforms").path("manifests");

    assertThat(entries).hasSize(4);
    for (int image = 0; image < 2; image++) {
      assertThat(entries.path(image).path("annotations").path("com.amazon.soci.index-digest"))
          .isEqualTo(entries.path(image + 2).path("digest"));
    }
  }

  @Test
  void oneBadLayerIsLeftOut() throws Exception {
    for (String image : List.of("one-bad-layer", "one-odd-layer")) {
      Path scratch = Files.createTempDirectory(directory, image);
      Path out = scratch.resolve("out");
      Ended ended =
          RunConvert.standalone(
              "oci-dir",
              vectors.copy(image, scratch.resolve("in")),
              out,
              List.of("--min-layer-size", "0"));

      assertThat(ended.failure()).isEmpty();
      assertThat(ended.out().lines().filter(line -> line.contains("can't be indexed")))
          .as(ended.out())
          .hasSize(1);
      assertThat(ended.out().lines().filter(line -> line.contains("-> ztoc"))).hasSize(1);
    }
    JsonNode multi = converted("multi-one-bad", "--min-layer-size", "0", "--all-platforms");
    assertThat(multi.path("manifests")).hasSizeGreaterThanOrEqualTo(3);
  }

  @Test
  void spanSizeZeroIsRefused() throws Exception {
    for (String image : List.of("single", "uncompressed")) {
      Path scratch = Files.createTempDirectory(directory, image);
      Ended ended =
          RunConvert.standalone(
              "oci-dir",
              vectors.copy(image, scratch.resolve("in")),
              scratch.resolve("out"),
              List.of("--span-size", "0", "--min-layer-size", "0"));

      assertThat(ended.failure()).contains("span size must be at least 1").hasLineCount(1);
      assertThat(scratch.resolve("out")).doesNotExist();
    }
  }
}
