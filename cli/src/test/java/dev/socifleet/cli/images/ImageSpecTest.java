package dev.socifleet.cli.images;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The schema lets through what the specification allows, and nothing else. */
class ImageSpecTest {
  private static final String DIGEST = "sha256:" + "0".repeat(64);
  private static final String LAYER =
      """
      {"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"%s","size":5}\
      """
          .formatted(DIGEST);
  private static final String CONFIG = LAYER.replace("layer.v1.tar+gzip", "config.v1+json");
  private static final String MANIFEST =
      """
      {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",\
      "config":%s,"layers":[%s]}\
      """
          .formatted(CONFIG, LAYER);
  private static final String INDEX =
      """
      {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[%s]}\
      """
          .formatted(
              LAYER.replace("}", ",\"platform\":{\"architecture\":\"arm\",\"os\":\"linux\"}}"));
  private static final String IMAGE =
      """
      {"architecture":"arm64","os":"linux","created":"2026-01-02T03:04:05.6Z",\
      "config":{"Env":["A=b"],"Volumes":{"/v":{}},"Cmd":null},\
      "rootfs":{"type":"layers","diff_ids":["%s"]},"history":[{"empty_layer":true}]}\
      """
          .formatted(DIGEST);

  private static List<String> violations(ImageSpec kind, String document) {
    return kind.violations(document.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void whatIsRightPasses() {
    assertThat(violations(ImageSpec.LAYOUT, "{\"imageLayoutVersion\":\"1.0.0\"}")).isEmpty();
    assertThat(violations(ImageSpec.MANIFEST, MANIFEST)).isEmpty();
    assertThat(violations(ImageSpec.INDEX, INDEX)).isEmpty();
    assertThat(violations(ImageSpec.CONFIG, IMAGE)).isEmpty();
  }

  @Test
  void whatIsWrongIsFound() {
    assertFound(ImageSpec.LAYOUT, "{\"imageLayoutVersion\":\"1.0.0\"}", "1.0.0", "2");
    assertFound(ImageSpec.MANIFEST, MANIFEST, "\"schemaVersion\":2", "\"schemaVersion\":1");
    assertFound(ImageSpec.MANIFEST, MANIFEST, "oci.image.manifest.v1", "docker.manifest.v2");
    assertFound(ImageSpec.MANIFEST, MANIFEST, "\"size\":5", "\"size\":-5");
    assertFound(ImageSpec.MANIFEST, MANIFEST, "\"size\":5", "\"size\":\"5\"");
    assertFound(ImageSpec.MANIFEST, MANIFEST, DIGEST, "sha256:0");
    assertFound(ImageSpec.MANIFEST, MANIFEST, "\"layers\"", "\"manifests\"");
    assertFound(ImageSpec.MANIFEST, MANIFEST, LAYER, "");
    assertFound(ImageSpec.MANIFEST, MANIFEST, "\"size\":5", "\"size\":5,\"data\":\"?\"");
    assertFound(ImageSpec.MANIFEST, MANIFEST, "image.config", "empty");
    assertFound(ImageSpec.INDEX, INDEX, "\"architecture\":\"arm\",", "");
    assertFound(ImageSpec.INDEX, INDEX, "\"size\":5", "\"size\":5,\"annotations\":{\"a\":1}");
    assertFound(ImageSpec.INDEX, INDEX, "\"manifests\":", "\"layers\":[],\"manifests\":");
    assertFound(ImageSpec.CONFIG, IMAGE, "\"architecture\":\"arm64\",", "");
    assertFound(ImageSpec.CONFIG, IMAGE, "\"type\":\"layers\"", "\"type\":\"tar\"");
    assertFound(ImageSpec.CONFIG, IMAGE, "2026-01-02T", "2026-01-02 ");
  }

  private static void assertFound(ImageSpec kind, String right, String part, String wrong) {
    assertThat(right).contains(part);
    assertThat(violations(kind, right.replace(part, wrong)))
        .as("%s -> %s", part, wrong)
        .isNotEmpty();
  }
}
