package dev.socifleet.sociindex;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageIndex;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Platform;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Indexes and converted images are, to the byte, what the existing tool writes. */
class GoldenDocumentsTest {
  private static final Platform AMD64 = Platform.of("linux", "amd64", "");

  private static byte[] golden(String name) throws IOException {
    try (InputStream resource = GoldenDocumentsTest.class.getResourceAsStream("golden/" + name)) {
      return resource.readAllBytes();
    }
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static Digest digest(char hex) {
    return new Digest("sha256", String.valueOf(hex).repeat(64));
  }

  private static SociIndex.LayerZtoc ztoc() {
    return new SociIndex.LayerZtoc(
        digest('1'), MediaTypes.OCI_LAYER_GZIP, digest('a'), 232088, 4194304);
  }

  @Test
  void aV1Index() throws Exception {
    SociIndex index =
        SociIndex.v1(List.of(ztoc()), Descriptor.of(MediaTypes.OCI_MANIFEST, digest('c'), 1234));

    assertThat(text(index.manifest().bytes())).isEqualTo(text(golden("index-v1.json")));
    assertThat(SociIndex.read(index.manifest().bytes())).isEqualTo(index);
  }

  @Test
  void aV2IndexWithAPrefetchArtifact() throws Exception {
    SociIndex index = SociIndex.read(golden("index-v2.json"));

    assertThat(index)
        .isEqualTo(
            SociIndex.v2(List.of(ztoc()))
                .withPrefetches(
                    List.of(new SociIndex.LayerPrefetch(digest('1'), digest('b'), 63))));
    assertThat(text(index.manifest().bytes())).isEqualTo(text(golden("index-v2.json")));
  }

  @Test
  void aPrefetchArtifact() throws Exception {
    PrefetchArtifact artifact =
        PrefetchArtifact.of(
            List.of(
                new PrefetchArtifact.SpanRange(50, 55),
                new PrefetchArtifact.SpanRange(13, 15),
                new PrefetchArtifact.SpanRange(10, 12)));

    assertThat(text(artifact.bytes())).isEqualTo(text(golden("prefetch.json")));
    assertThat(PrefetchArtifact.read(golden("prefetch.json"))).isEqualTo(artifact);
    assertThat(artifact.spanCount()).isEqualTo(12);
  }

  @Test
  void aConvertedDockerManifest() throws Exception {
    byte[] source = golden("source-docker.json");
    var target = new ManifestBlob(MediaTypes.DOCKER_MANIFEST, Digest.of(source), source);
    byte[] index = golden("index-v2.json");
    var indexed =
        new V2Conversion.Indexed(
            target.digest(),
            AMD64,
            new ManifestBlob(MediaTypes.OCI_MANIFEST, Digest.of(index), index));

    var converted = V2Conversion.convert(target, digest -> Optional.empty(), List.of(indexed));

    assertThat(text(converted.manifests().getFirst().bytes()))
        .isEqualTo(text(golden("converted-manifest.json")));
    assertThat(text(converted.root().bytes())).isEqualTo(text(golden("converted-index.json")));
    assertThat(converted.replaced())
        .isEqualTo(Map.of(target.digest(), converted.manifests().getFirst().digest()));
  }

  @Test
  void convertingAConvertedImageAgainChangesNothing() throws Exception {
    byte[] root = golden("converted-index.json");
    byte[] manifest = golden("converted-manifest.json");
    byte[] index = golden("index-v2.json");
    var indexed =
        new V2Conversion.Indexed(
            Digest.of(manifest),
            AMD64,
            new ManifestBlob(MediaTypes.OCI_MANIFEST, Digest.of(index), index));

    var again =
        V2Conversion.convert(
            new ManifestBlob(MediaTypes.OCI_INDEX, Digest.of(root), root),
            digest ->
                digest.equals(Digest.of(manifest))
                    ? Optional.of(new ManifestBlob(MediaTypes.OCI_MANIFEST, digest, manifest))
                    : Optional.empty(),
            List.of(indexed));

    assertThat(text(again.root().bytes())).isEqualTo(text(root));
  }

  /** As ORAS writes layouts: the entry of a signature has neither a platform nor a type. */
  @Test
  void anArtifactBesideTheImageStaysWhatItIs() throws Exception {
    byte[] manifest = golden("converted-manifest.json");
    byte[] index = golden("index-v2.json"); // its config isn't an image's
    Descriptor image =
        Descriptor.of(MediaTypes.OCI_MANIFEST, Digest.of(manifest), manifest.length)
            .withPlatform(AMD64);
    Descriptor artifact =
        Descriptor.of(MediaTypes.OCI_MANIFEST, Digest.of(index), index.length)
            .withAnnotations(Map.of("its", "own"));
    byte[] root =
        OciJson.write(
            new ImageIndex(MediaTypes.OCI_INDEX, "", List.of(image, artifact), null, Map.of()));
    Map<Digest, byte[]> documents = Map.of(image.digest(), manifest, artifact.digest(), index);
    byte[] other = text(index).replace("4194304", "1048576").getBytes(StandardCharsets.UTF_8);

    var converted =
        V2Conversion.convert(
            new ManifestBlob(MediaTypes.OCI_INDEX, Digest.of(root), root),
            digest ->
                Optional.ofNullable(documents.get(digest))
                    .map(bytes -> new ManifestBlob(MediaTypes.OCI_MANIFEST, digest, bytes)),
            List.of(
                new V2Conversion.Indexed(
                    image.digest(),
                    AMD64,
                    new ManifestBlob(MediaTypes.OCI_MANIFEST, Digest.of(other), other))));

    assertThat(OciJson.index(converted.root().bytes()).manifests().get(1)).isEqualTo(artifact);
    assertThat(converted.replaced()).containsOnlyKeys(image.digest());
  }
}
