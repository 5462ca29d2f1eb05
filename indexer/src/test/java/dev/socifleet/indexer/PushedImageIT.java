package dev.socifleet.indexer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.socifleet.embedded.registry.SmallRegistry;
import dev.socifleet.events.ZtocEvent.PlannedImage;
import dev.socifleet.indexer.PushedImage.NothingToPlan;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.ImageIndex;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.MalformedDocumentException;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Platform;
import dev.socifleet.oci.Repository;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.sociindex.SociIndex;
import dev.socifleet.sociindex.SociTerms;
import dev.socifleet.sociindex.V2Conversion;
import dev.socifleet.sociindex.publish.IndexPublisher;
import dev.socifleet.testing.OpenRegistries;
import dev.socifleet.testing.RawImage;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What of a push is an image that wants an index. */
class PushedImageIT {
  private static final Platform AMD64 = Platform.of("linux", "amd64", "");
  private static final Platform ARM64 = Platform.of("linux", "arm64", "v8");

  @TempDir Path directory;
  private SmallRegistry registry;
  private HttpRegistries registries;
  private Repository repository;

  @BeforeEach
  void startRegistry() throws Exception {
    registry = SmallRegistry.start(SmallRegistry.Options.in(directory));
    registries = OpenRegistries.at(registry.host());
    repository = registries.repository(new RepositoryName(registry.host(), "team/app"));
  }

  @AfterEach
  void stopRegistry() {
    registries.close();
    registry.close();
  }

  private List<PlannedImage> read(ManifestBlob target) throws Exception {
    var rules = new IndexerConfig.Rules(1 << 20, 0, true, true, "{tag}-soci");
    return new PushedImage(repository, rules).read(target);
  }

  private void isNothingToPlan(ManifestBlob target, String reason) {
    assertThatThrownBy(() -> read(target))
        .isInstanceOf(NothingToPlan.class)
        .hasMessageContaining(reason);
  }

  private ManifestBlob image(String layer) throws Exception {
    byte[] bytes = layer.getBytes(StandardCharsets.UTF_8);
    return RawImage.push(repository, null, List.of(RawImage.layer(repository, bytes)));
  }

  private static Descriptor entry(ManifestBlob manifest) {
    return Descriptor.of(manifest.mediaType(), manifest.digest(), manifest.bytes().length);
  }

  private ManifestBlob index(Descriptor... entries) throws Exception {
    byte[] bytes =
        OciJson.write(new ImageIndex(MediaTypes.OCI_INDEX, "", List.of(entries), null, Map.of()));
    ManifestBlob index = new ManifestBlob(MediaTypes.OCI_INDEX, Digest.of(bytes), bytes);
    repository.putManifest(index.digest().toString(), index.mediaType(), bytes);
    return index;
  }

  /** A manifest of a layer whose config is of a type that no image has. */
  private ManifestBlob artifact(String configType, String artifactType) throws Exception {
    byte[] config = "{}".getBytes(StandardCharsets.UTF_8);
    byte[] bytes =
        OciJson.write(
            new ImageManifest(
                MediaTypes.OCI_MANIFEST,
                artifactType,
                RawImage.blob(repository, configType, config),
                List.of(RawImage.layer(repository, config)),
                null,
                Map.of()));
    return new ManifestBlob(MediaTypes.OCI_MANIFEST, Digest.of(bytes), bytes);
  }

  @Test
  void anImageIsOneOfThePlatformThatItsConfigSays() throws Exception {
    ManifestBlob image = image("a");
    assertThat(read(image))
        .hasSize(1)
        .first()
        .satisfies(planned -> {
          assertThat(planned.manifest().digest()).isEqualTo(image.digest());
          assertThat(planned.platform()).isEqualTo(AMD64);
          assertThat(planned.layers()).hasSize(1);
        });
  }

  @Test
  void anIndexIsItsImagesInItsOrderWithThePlatformsThatItSays() throws Exception {
    ManifestBlob first = image("a");
    ManifestBlob second = image("b");
    ManifestBlob nested = index(entry(second));
    assertThat(read(index(entry(first).withPlatform(ARM64), entry(nested), entry(first))))
        .extracting(image -> image.manifest().digest(), PlannedImage::platform)
        .containsExactly(
            tuple(first.digest(), ARM64),
            tuple(second.digest(), AMD64),
            tuple(first.digest(), AMD64));
  }

  @Test
  void indexesInIndexesEndSomewhere() throws Exception {
    ManifestBlob deepest = index(entry(image("a")));
    for (int depth = 2; depth <= 4; depth++) {
      deepest = index(entry(deepest));
    }
    assertThat(read(deepest)).hasSize(1);
    ManifestBlob tooDeep = index(entry(deepest));
    assertThatThrownBy(() -> read(tooDeep))
        .isInstanceOf(MalformedDocumentException.class)
        .hasMessageContaining("too deep");
  }

  @Test
  void aPlatformThatWasNotCopiedIsNotWaitedFor() throws Exception {
    ManifestBlob copied = image("a");
    ManifestBlob left = image("b");
    ManifestBlob index = index(entry(left), entry(copied));
    repository.deleteManifest(left.digest().toString());
    assertThat(read(index))
        .extracting(image -> image.manifest().digest())
        .containsExactly(copied.digest());
  }

  @Test
  void attestationsAndArtifactsAreNoImages() throws Exception {
    ManifestBlob image = image("a");
    ManifestBlob attestation = image("attestation");
    ManifestBlob chart = artifact("application/vnd.cncf.helm.config.v1+json", "");
    repository.putManifest(chart.digest().toString(), chart.mediaType(), chart.bytes());
    ManifestBlob index =
        index(
            entry(attestation).withPlatform(Platform.of("unknown", "unknown", "")),
            entry(attestation).withArtifactType("application/vnd.example.sbom"),
            entry(chart),
            entry(image));
    assertThat(read(index))
        .extracting(one -> one.manifest().digest())
        .containsExactly(image.digest());
    isNothingToPlan(chart, "no image");
    isNothingToPlan(index(entry(chart)), "no image");
  }

  @Test
  void ourOwnIndexesAreRecognisedByEitherSpelling() throws Exception {
    String someConfig = "application/vnd.oci.empty.v1+json";
    for (String type : List.of(SociTerms.V1_TYPE, SociTerms.V2_TYPE)) {
      isNothingToPlan(artifact(type, ""), "SOCI index");
      isNothingToPlan(artifact(someConfig, type), "SOCI index");
    }
  }

  @Test
  void whatWeConvertedIsNotConvertedAgain() throws Exception {
    ManifestBlob image = image("a");
    PlannedImage planned = read(image).getFirst();
    Descriptor ztoc = RawImage.blob(repository, SociTerms.ZTOC_TYPE, new byte[] {1});
    var ztocs =
        List.of(
            new SociIndex.LayerZtoc(
                planned.layers().getFirst().digest(),
                planned.layers().getFirst().mediaType(),
                ztoc.digest(),
                ztoc.size(),
                1 << 20));
    IndexPublisher publisher = new IndexPublisher(repository);
    publisher.putConfig();
    V2Conversion.Converted converted =
        publisher.v2(
            image,
            digest -> repository.manifest(digest.toString()),
            List.of(
                new V2Conversion.Indexed(image.digest(), AMD64, SociIndex.v2(ztocs).manifest())));
    isNothingToPlan(converted.root(), "SOCI indexes already");
    isNothingToPlan(converted.manifests().getFirst(), "converted image");
    isNothingToPlan(index(entry(converted.manifests().getFirst())), "converted image");
  }

  @Test
  void aConfigThatClaimsToBeHugeIsNotRead() throws Exception {
    Descriptor config = Descriptor.of(MediaTypes.OCI_CONFIG, image("a").digest(), (4L << 20) + 1);
    byte[] bytes =
        OciJson.write(
            new ImageManifest(MediaTypes.OCI_MANIFEST, "", config, List.of(), null, Map.of()));
    assertThatThrownBy(
            () -> read(new ManifestBlob(MediaTypes.OCI_MANIFEST, Digest.of(bytes), bytes)))
        .isInstanceOf(MalformedDocumentException.class)
        .hasMessageContaining("larger than");
  }
}
