package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class OciJsonTest {
  private static final Digest DIGEST = Digest.of(new byte[0]);

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static ImageManifest manifest(Map<String, String> annotations) {
    return new ImageManifest(
        MediaTypes.OCI_MANIFEST,
        "application/vnd.test",
        Descriptor.of(MediaTypes.OCI_CONFIG, DIGEST, 0),
        List.of(
            Descriptor.of(MediaTypes.OCI_LAYER_GZIP, DIGEST, 1L << 40)
                .withAnnotations(Map.of("a", "b"))),
        Descriptor.of(MediaTypes.OCI_MANIFEST, DIGEST, 5),
        annotations);
  }

  @Test
  void whatIsWrittenIsRead() throws Exception {
    ImageManifest manifest = manifest(Map.of("x", "y"));
    ImageIndex index =
        new ImageIndex(
            MediaTypes.OCI_INDEX,
            "",
            List.of(
                Descriptor.of(MediaTypes.OCI_MANIFEST, DIGEST, 3)
                    .withPlatform(new Platform("arm64", "linux", "", List.of("f"), "v8"))
                    .withArtifactType("t")),
            null,
            Map.of());

    assertThat(OciJson.manifest(OciJson.write(manifest))).isEqualTo(manifest);
    assertThat(OciJson.index(OciJson.write(index))).isEqualTo(index);
  }

  @Test
  void textIsWrittenAsGoWritesIt() {
    String written =
        new String(
            OciJson.write(
                manifest(
                    Map.of("b", "<&>", "a", "\u2028\t\"\\", "\uffee", "1", "\ud83d\ude00", "2"))),
            StandardCharsets.UTF_8);

    assertThat(written)
        .contains("\"b\":\"\\u003c\\u0026\\u003e\"")
        .contains("\"a\":\"\\u2028\\t\\\"\\\\\"")
        .contains("\"\uffee\":\"1\",\"\ud83d\ude00\":\"2\""); // by bytes of UTF-8
  }

  @Test
  void brokenDocumentsSayWhatIsWrong() {
    String layer = "{\"mediaType\":\"m\",\"digest\":\"" + DIGEST + "\",\"size\":%s}";
    String good = layer.formatted("1");
    Map<String, String> broken =
        Map.of(
            "{",
            "isn't JSON, at byte",
            "[]",
            "isn't a JSON object",
            "{}",
            "no object 'config'",
            "{\"config\":" + layer.formatted("-1") + "}",
            "'config.size'",
            "{\"config\":" + layer.formatted("1.5") + "}",
            "'config.size'",
            "{\"config\":" + layer.formatted("99999999999999999999") + "}",
            "'config.size'",
            "{\"config\":{\"size\":1,\"digest\":\"sha256:zz\"}}",
            "'config.digest'",
            "{\"config\":" + good + ",\"layers\":{}}",
            "'layers'",
            "{\"config\":" + good + ",\"layers\":[1]}",
            "'layers[0]'",
            "{\"config\":" + good + ",\"annotations\":{\"a\":1}}",
            "'annotations.a'");

    broken.forEach((document, why) ->
        assertThatThrownBy(() -> OciJson.manifest(utf8(document)))
            .as(document)
            .isInstanceOf(MalformedDocumentException.class)
            .hasMessageContaining(why));
  }

  @Test
  void deepAndWideDocumentsAreRefused() {
    assertThatThrownBy(() -> OciJson.index(utf8("[".repeat(100_000))))
        .isInstanceOf(MalformedDocumentException.class);
    String entry = "{\"digest\":\"" + DIGEST + "\",\"size\":1},";
    assertThatThrownBy(
            () -> OciJson.index(utf8("{\"manifests\":[" + entry.repeat(10_000) + "{}]}")))
        .isInstanceOf(MalformedDocumentException.class)
        .hasMessageContaining("10000");
  }

  @Test
  void anotherSubjectLeavesTheRestAsItWas() throws Exception {
    Descriptor subject = Descriptor.of(MediaTypes.OCI_INDEX, Digest.of(utf8("x")), 7);
    String before = "{\"own\":[1,{\"é\":null}],\"subject\":{\"data\":\"e30=\"},\"z\":true}";

    byte[] after = OciJson.withSubject(utf8(before), subject);

    assertThat(new String(after, StandardCharsets.UTF_8))
        .isEqualTo(
            "{\"own\":[1,{\"é\":null}],\"subject\":{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":7},\"z\":true}"
                .formatted(MediaTypes.OCI_INDEX, subject.digest()));
    assertThatThrownBy(() -> OciJson.withSubject(utf8("[]"), subject))
        .isInstanceOf(MalformedDocumentException.class);
  }

  @Test
  void damagedDocumentsAreReadOrRefused() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    byte[] good = OciJson.write(manifest(Map.of("x", "y")));
    for (int i = 0; i < 20_000; i++) {
      byte[] bad = good.clone();
      for (int j = random.nextInt(4); j >= 0; j--) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
      }
      try {
        assertThat(OciJson.manifest(bad).layers()).as("seed %d", seed).isNotNull();
      } catch (MalformedDocumentException e) {
        assertThat(e.getMessage()).as("seed %d", seed).isNotEmpty();
      }
    }
  }

  @Test
  void platformsAreNormalisedAsContainerdDoes() {
    assertThat(Platforms.parse("linux/aarch64/v8")).isEqualTo(Platform.of("linux", "arm64", ""));
    assertThat(Platforms.parse("linux/arm")).isEqualTo(Platform.of("linux", "arm", "v7"));
    assertThat(Platforms.parse("linux/x86_64")).isEqualTo(Platform.of("linux", "amd64", ""));
    assertThat(Platforms.text(Platforms.parse("Linux/armhf"))).isEqualTo("linux/arm/v7");
    assertThat(Platforms.same(Platforms.parse("linux/armel"), Platforms.parse("linux/arm/6")))
        .isTrue();
    for (String text : List.of("", "linux", "linux/", "/amd64", "a/b/c/d")) {
      assertThatThrownBy(() -> Platforms.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }
  }
}
