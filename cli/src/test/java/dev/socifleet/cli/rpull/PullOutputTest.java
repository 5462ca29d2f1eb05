package dev.socifleet.cli.rpull;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.cli.rpull.LayerResult.State;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.ImageReference;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.Platforms;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PullOutputTest {
  private static final Digest SOME = Digest.of(new byte[] {1});
  private static final List<ImageLayer> LAYERS =
      ImageLayer.chain(
          List.of(
              Descriptor.of(MediaTypes.OCI_LAYER_GZIP, Digest.of(new byte[] {2}), 30_000_000),
              Descriptor.of(MediaTypes.OCI_LAYER_GZIP, Digest.of(new byte[] {3}), 2_000_000)),
          List.of(SOME, SOME));
  private static final PullRequest REQUEST =
      new PullRequest(
          ImageReference.parse("r.example/app:1"),
          List.of(),
          false,
          Optional.empty(),
          "default",
          "soci");

  private final StringWriter printed = new StringWriter();

  private PullOutput output(PullOutput.Form form, boolean moving) {
    return new PullOutput(new PrintWriter(printed, true), form, moving, false);
  }

  private static void pull(PullOutput output) {
    output.done(List.of(pull(output, "linux/amd64")), REQUEST);
  }

  private static PullResult pull(PullOutput output, String platform) {
    LayerResult lazy = new LayerResult(LAYERS.get(0), State.LAZY, false, 0, Duration.ofMillis(120));
    LayerResult unpacked =
        new LayerResult(LAYERS.get(1), State.UNPACKED, false, 2_000_000, Duration.ofMillis(340));
    Descriptor manifest = Descriptor.of(MediaTypes.OCI_MANIFEST, SOME, 3);
    Descriptor config = Descriptor.of(MediaTypes.OCI_CONFIG, SOME, 3);
    FoundImage image =
        new FoundImage(
            List.of(new FoundImage.Document(FoundImage.Kind.MANIFEST, manifest, new byte[3])),
            new ImageManifest(MediaTypes.OCI_MANIFEST, "", config, List.of(), null, Map.of()),
            new FoundImage.Document(FoundImage.Kind.CONFIG, config, new byte[3]),
            LAYERS,
            Platforms.parse(platform));
    output.found(image);
    output.working(LAYERS.get(0));
    output.settled(lazy);
    output.working(LAYERS.get(1));
    output.received(2_000_000);
    output.unpacking(LAYERS.get(1));
    output.settled(unpacked);
    return new PullResult(image, List.of(lazy, unpacked), Duration.ofMillis(500));
  }

  @Test
  void aLineALayerAndOneAtTheEnd() {
    pull(output(PullOutput.Form.LINES, false));

    assertThat(printed.toString())
        .isEqualTo(
            """
            1/2 sha256:dbc1b4c900ff  lazy              30.0 MB     120 ms
            2/2 sha256:084fed08b978  unpacked           2.0 MB     340 ms  2.0 MB downloaded
            r.example/app:1 sha256:4bf5122f3445: 1 of 2 layers lazy, 2.0 MB of 32.0 MB downloaded, 0.50 s
            """);
  }

  @Test
  void onATerminalALineMovesAndIsGoneAtTheEnd() {
    pull(output(PullOutput.Form.LINES, true));

    assertThat(printed.toString())
        .contains("\r\033[Klayer 1/2  0.0 MB downloaded", "layer 2/2, unpacking  2.0 MB");
    assertThat(printed.toString().replaceAll("\r\033\\[K(layer[^\r]*)?", "")).hasLineCount(3);
  }

  @Test
  void quietlyOnlyTheDigestIsPrinted() {
    pull(output(PullOutput.Form.QUIET, true));

    assertThat(printed.toString()).isEqualTo(SOME + "\n");
  }

  @Test
  void jsonIsOneObjectOnOneLine() {
    pull(output(PullOutput.Form.JSON, true));

    assertThat(printed.toString())
        .hasLineCount(1)
        .contains("\"image\":\"r.example/app:1\"", "\"state\":\"lazy\"", "\"downloaded\":2000000");
  }

  private String ofTwoPlatforms(PullOutput.Form form) {
    PullOutput output = new PullOutput(new PrintWriter(printed, true), form, false, true);
    output.done(List.of(pull(output, "linux/amd64"), pull(output, "linux/arm64")), REQUEST);
    return printed.toString();
  }

  @Test
  void ofSeveralPlatformsEachHasATitleAndAllOneSum() {
    assertThat(ofTwoPlatforms(PullOutput.Form.LINES).lines())
        .hasSize(7)
        .startsWith("linux/amd64 sha256:4bf5122f3445")
        .contains("linux/arm64 sha256:4bf5122f3445")
        .endsWith(
            "r.example/app:1 sha256:4bf5122f3445: 2 of 4 layers lazy, 4.0 MB of 64.0 MB downloaded,"
                + " 1.00 s");
  }

  @Test
  void ofSeveralPlatformsJsonHasAList() throws Exception {
    JsonNode json = new JsonMapper().readTree(ofTwoPlatforms(PullOutput.Form.JSON));

    assertThat(json.path("downloaded").asLong()).isEqualTo(4_000_000);
    assertThat(json.path("platforms").findValuesAsText("platform"))
        .containsExactly("linux/amd64", "linux/arm64");
    assertThat(json.path("platforms").path(1).path("layers")).hasSize(2);
  }
}
