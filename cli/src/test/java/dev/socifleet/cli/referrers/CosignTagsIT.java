package dev.socifleet.cli.referrers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.cli.RegistryWithImages;
import dev.socifleet.cli.RunSoci;
import dev.socifleet.cli.RunSoci.Ended;
import dev.socifleet.embedded.registry.SmallRegistry;
import dev.socifleet.oci.BlobContent;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Repository;
import dev.socifleet.testing.PushedLayout;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a tool tagged by an image's digest follows the image, as its referrers do. */
@Timeout(600)
class CosignTagsIT {
  private static final String SIGNED = "application/vnd.dev.cosign.simplesigning.v1+json";
  private static final String SBOM = "text/spdx+json";

  @TempDir private Path directory;
  private RegistryWithImages<SmallRegistry> registry;
  private Repository app;
  private Digest image;

  @BeforeEach
  void push() throws IOException {
    registry = RegistryWithImages.small(directory);
    app = registry.app();
    image = registry.push("single", "1").digest();
  }

  @AfterEach
  void close() {
    registry.close();
  }

  private static String tag(Digest digest, String ending) {
    return "sha256-" + digest.hex() + ending;
  }

  /** As cosign makes them: an image of one layer, whose type tells what it is. */
  private static Digest attach(Repository to, Digest subject, String ending, String type)
      throws IOException {
    byte[] config = "{}".getBytes(StandardCharsets.UTF_8);
    byte[] layer = (type + " of " + subject).getBytes(StandardCharsets.UTF_8);
    to.putBlob(Digest.of(config), config.length, BlobContent.of(config));
    to.putBlob(Digest.of(layer), layer.length, BlobContent.of(layer));
    byte[] manifest =
        OciJson.write(
            new ImageManifest(
                MediaTypes.OCI_MANIFEST,
                "",
                Descriptor.of(MediaTypes.OCI_CONFIG, Digest.of(config), config.length),
                List.of(Descriptor.of(type, Digest.of(layer), layer.length)),
                null,
                Map.of()));
    to.putManifest(tag(subject, ending), MediaTypes.OCI_MANIFEST, manifest);
    return Digest.of(manifest);
  }

  private static Optional<Digest> tagged(Repository repository, Digest subject, String ending)
      throws IOException {
    return repository.headManifest(tag(subject, ending)).map(Descriptor::digest);
  }

  private Ended create(String... more) {
    List<String> all = new ArrayList<>(List.of("index", "create"));
    all.addAll(List.of("--index-version", "v2", "--min-layer-size", "0"));
    all.addAll(List.of(more));
    all.add(registry.app("1"));
    return RunSoci.soci(all.toArray(String[]::new));
  }

  @Test
  void theConvertedImageHasTheSameUnderTagsOfItsOwn() throws Exception {
    Digest signature = attach(app, image, ".sig", SIGNED);
    Digest sbom = attach(app, image, ".sbom", SBOM);
    Digest signed = attach(app, sbom, ".sig", SIGNED);

    Ended ended = create("--copy-referrers");

    assertThat(ended.failure()).isEmpty();
    Digest converted = app.headManifest("1-soci").orElseThrow().digest();
    assertThat(tagged(app, converted, ".sig")).hasValue(signature);
    assertThat(tagged(app, converted, ".sbom")).hasValue(sbom);
    assertThat(tagged(app, converted, ".att")).isEmpty();
    // The SBOM is the same, and so are its signature's tag and digest.
    assertThat(tagged(app, sbom, ".sig")).hasValue(signed);
    assertThat(ended.lines())
        .contains("referrer %s -> %s of %s (%s)".formatted(sbom, sbom, converted, SBOM));
    assertThat(ended.err()).contains("signatures, made of the old digests");
  }

  @Test
  void onlyTheTypesThatAreMeant() throws Exception {
    attach(app, image, ".sig", SIGNED);
    Digest sbom = attach(app, image, ".sbom", SBOM);

    assertThat(create("--referrer-type", SBOM).failure()).isEmpty();

    Digest converted = app.headManifest("1-soci").orElseThrow().digest();
    assertThat(tagged(app, converted, ".sbom")).hasValue(sbom);
    assertThat(tagged(app, converted, ".sig")).isEmpty();
  }

  @Test
  void aSignatureOfTheNewImageStays() throws Exception {
    assertThat(create().failure()).isEmpty();
    Digest converted = app.headManifest("1-soci").orElseThrow().digest();
    Digest theirs = attach(app, converted, ".sig", SIGNED);
    Digest old = attach(app, image, ".sig", SIGNED);

    Ended ended = create("--copy-referrers");

    assertThat(ended.exit()).isZero();
    assertThat(tagged(app, converted, ".sig")).hasValue(theirs);
    assertThat(ended.err())
        .contains(
            "referrer %s wasn't copied: the tag %s is taken"
                .formatted(old, tag(converted, ".sig")));
  }

  @Test
  void anotherRepositoryGetsTheirContentToo() throws Exception {
    Digest sbom = attach(app, image, ".sbom", SBOM);
    Digest signed = attach(app, sbom, ".sig", SIGNED);
    assertThat(create().failure()).isEmpty();
    Repository other = registry.repository("lazy/app");
    assertThat(
            RunSoci.soci(
                    "convert",
                    "--standalone",
                    "--min-layer-size",
                    "0",
                    "--format",
                    "oci-dir",
                    directory.resolve("single").toString(),
                    directory.resolve("converted").toString())
                .failure())
        .isEmpty();
    PushedLayout.push(directory.resolve("converted"), other, "1");

    Ended ended =
        RunSoci.soci("referrers", "copy", registry.app("1"), registry.reference("lazy/app", "1"));

    assertThat(ended.failure()).isEmpty();
    Digest converted = other.headManifest("1").orElseThrow().digest();
    assertThat(tagged(other, converted, ".sbom")).hasValue(sbom);
    assertThat(tagged(other, sbom, ".sig")).hasValue(signed);
    ImageManifest manifest =
        OciJson.manifest(other.manifest(sbom.toString()).orElseThrow().bytes());
    try (InputStream layer = other.openBlob(manifest.layers().getFirst().digest())) {
      assertThat(layer.readAllBytes())
          .asString(StandardCharsets.UTF_8)
          .isEqualTo(SBOM + " of " + image);
    }
  }
}
