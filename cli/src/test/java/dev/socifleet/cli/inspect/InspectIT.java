package dev.socifleet.cli.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.cli.RegistryWithImages;
import dev.socifleet.cli.RunSoci;
import dev.socifleet.cli.RunSoci.Ended;
import dev.socifleet.embedded.registry.SmallRegistry;
import dev.socifleet.oci.BlobContent;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Repository;
import dev.socifleet.sociindex.SociIndex;
import dev.socifleet.sociindex.SociIndex.LayerZtoc;
import dev.socifleet.sociindex.SociTerms;
import dev.socifleet.ztoc.Compression;
import dev.socifleet.ztoc.Ztoc;
import dev.socifleet.ztoc.ZtocBuilder;
import dev.socifleet.ztoc.ZtocOptions;
import dev.socifleet.ztoc.ZtocOutcome;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code soci verify} and {@code soci explain} at a registry. */
@Timeout(600)
class InspectIT {
  @TempDir private Path directory;
  private RegistryWithImages<SmallRegistry> registry;
  private Repository repository;
  private String reference;

  @BeforeEach
  void start() throws Exception {
    registry = RegistryWithImages.small(directory);
    repository = registry.app();
    registry.push("single", "1");
    reference = registry.app("1");
  }

  @AfterEach
  void stop() {
    registry.close();
  }

  private ImageManifest manifest() throws Exception {
    return OciJson.manifest(repository.manifest("1").orElseThrow().bytes());
  }

  private Ended create(String... more) {
    List<String> arguments = new ArrayList<>(List.of("index", "create"));
    arguments.addAll(List.of(more));
    arguments.add(reference);
    Ended ended = RunSoci.soci(arguments);
    assertThat(ended.failure()).isEmpty();
    return ended;
  }

  private ZtocOutcome.Built built(Descriptor layer, String tool) throws Exception {
    try (InputStream in = repository.openBlob(layer.digest())) {
      return (ZtocOutcome.Built)
          ZtocBuilder.build(
              in,
              Compression.GZIP,
              new ZtocOptions(65536, tool, ZtocOptions.DEFAULT_MAX_ZTOC_BYTES, (b, f) -> {}));
    }
  }

  /** Publishes a v1 index with one zTOC, said to be of a layer. */
  private void publish(Descriptor layer, byte[] ztoc) throws Exception {
    Digest digest = Digest.of(ztoc);
    repository.putBlob(digest, ztoc.length, BlobContent.of(ztoc));
    byte[] config = SociTerms.emptyConfig();
    repository.putBlob(SociTerms.emptyConfigDigest(), config.length, BlobContent.of(config));
    ManifestBlob image = repository.manifest("1").orElseThrow();
    SociIndex index =
        SociIndex.v1(
            List.of(new LayerZtoc(layer.digest(), layer.mediaType(), digest, ztoc.length, 65536)),
            Descriptor.of(image.mediaType(), image.digest(), image.bytes().length));
    repository.putReferrer(image.digest(), index.manifest());
  }

  @Test
  void whatWasJustBuiltFits() throws Exception {
    create("--min-layer-size", "0");

    Ended v1 = RunSoci.soci("verify", reference);
    Ended v2 = RunSoci.soci("verify", reference + "-soci");

    assertThat(v1.exit()).isZero();
    assertThat(v1.lines()).last().isEqualTo("1 index, 4 zTOCs, nothing wrong");
    assertThat(v2.exit()).isZero();
    assertThat(v2.out()).contains("v2 index sha256:b37bbb8be9b16577");
  }

  @Test
  void anImageWithoutIndexIsSaidSo() {
    Ended ended = RunSoci.soci("verify", reference);

    assertThat(ended.exit()).isEqualTo(1);
    assertThat(ended.out()).contains("no SOCI index; make one with soci index create");
  }

  @Test
  void theZtocOfAnotherLayerIsFound() throws Exception {
    List<Descriptor> layers = manifest().layers();
    publish(layers.get(0), built(layers.get(1), SociTerms.BUILD_TOOL).bytes());

    Ended ended = RunSoci.soci("verify", reference);

    assertThat(ended.exit()).isEqualTo(1);
    assertThat(ended.out()).contains("WRONG layer " + layers.get(0).digest());
  }

  @Test
  void aChangedCheckpointIsFoundAndOtherToolsAreNot() throws Exception {
    Descriptor layer = manifest().layers().getFirst();
    ZtocOutcome.Built other = built(layer, "Another Tool v1");
    publish(layer, other.bytes());
    assertThat(RunSoci.soci("verify", reference).exit()).isZero();

    byte[] changed = other.bytes().clone();
    int window = Ztoc.parse(changed).windowOffset(other.spans() - 1);
    changed[window + 32767] ^= 1;
    repository = registry.repository("fresh");
    registry.push("single", repository, "1");
    reference = registry.reference("fresh", "1");
    publish(layer, changed);

    Ended ended = RunSoci.soci("verify", reference);
    assertThat(ended.exit()).isEqualTo(1);
    assertThat(ended.out()).contains("of its zTOC isn't the layer's");
    assertThat(RunSoci.soci("verify", "--quick", reference).exit()).isZero();
  }

  @Test
  void explainSaysWhichLayersAreLazyAndWhy() throws Exception {
    create("--min-layer-size", "50000", "--index-version", "v1");

    Ended ended = RunSoci.soci("explain", "--platform", "linux/amd64", reference);
    JsonNode json =
        new JsonMapper()
            .readTree(
                RunSoci.soci("explain", "--platform", "linux/amd64", "--json", reference).out());

    assertThat(ended.exit()).isZero();
    assertThat(ended.lines().stream().filter(line -> line.startsWith("  lazy "))).hasSize(2);
    assertThat(ended.lines().stream().filter(line -> line.startsWith("  download ")))
        .hasSize(2)
        .allMatch(line -> line.contains("less than the smallest layer to index"));
    assertThat(json.path("platforms").path(0).path("layers")).hasSize(4);
    assertThat(json.path("platforms").path(0).path("layers").path(0).path("lazy").asBoolean())
        .isTrue();
  }
}
