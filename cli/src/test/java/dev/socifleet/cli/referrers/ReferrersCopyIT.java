package dev.socifleet.cli.referrers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.cli.RunSoci;
import dev.socifleet.cli.RunSoci.Ended;
import dev.socifleet.cli.convert.Vectors;
import dev.socifleet.embedded.registry.SmallRegistry;
import dev.socifleet.oci.BlobContent;
import dev.socifleet.oci.Credentials;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.ImageIndex;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.RegistriesConfig;
import dev.socifleet.oci.RegistryHost;
import dev.socifleet.oci.Repository;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.sociindex.SociTerms;
import dev.socifleet.testing.DockerRegistryProcess;
import dev.socifleet.testing.PushedLayout;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What refers to an image follows it when it is converted, on request. */
@Timeout(600)
class ReferrersCopyIT {
  private static final String SBOM = "application/spdx+json";
  private static final String SIGNATURE = "application/vnd.cncf.notary.signature";

  private static Vectors vectors;
  @TempDir private Path directory;

  @BeforeAll
  static void open() throws IOException {
    vectors = new Vectors();
  }

  private static HttpRegistries registries(String host) {
    return HttpRegistries.open(
        new RegistriesConfig(List.of(RegistryHost.of(host)), Credentials.NONE, "test"));
  }

  private Descriptor push(Repository repository, String image, String tag) throws IOException {
    PushedLayout.push(vectors.copy(image, directory.resolve(image)), repository, tag);
    return repository.headManifest(tag).orElseThrow();
  }

  private static void blob(Repository repository, byte[] bytes) throws IOException {
    repository.putBlob(Digest.of(bytes), bytes.length, BlobContent.of(bytes));
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** An artifact with one blob, its text; with a field that we don't know. */
  private static Descriptor attach(
      Repository repository, Descriptor subject, String type, String text) throws IOException {
    byte[] config = utf8("{}");
    blob(repository, config);
    blob(repository, utf8(text));
    byte[] known =
        OciJson.write(
            new ImageManifest(
                MediaTypes.OCI_MANIFEST,
                type,
                Descriptor.of(
                    "application/vnd.oci.empty.v1+json", Digest.of(config), config.length),
                List.of(Descriptor.of("text/plain", Digest.of(utf8(text)), utf8(text).length)),
                Descriptor.of(subject.mediaType(), subject.digest(), subject.size()),
                Map.of("title", text)));
    byte[] bytes =
        utf8(new String(known, StandardCharsets.UTF_8).replaceFirst("^\\{", "{\"x-own\":1.50,"));
    ManifestBlob manifest = new ManifestBlob(MediaTypes.OCI_MANIFEST, Digest.of(bytes), bytes);
    repository.putReferrer(subject.digest(), manifest);
    return Descriptor.of(manifest.mediaType(), manifest.digest(), bytes.length);
  }

  private static ImageIndex index(Repository repository, String tag) throws IOException {
    return OciJson.index(repository.manifest(tag).orElseThrow().bytes());
  }

  /** The referrers of a type: exactly one, whose blob can be read and which names its subject. */
  private static Digest only(Repository repository, Digest subject, String type, String text)
      throws IOException {
    List<Descriptor> found = repository.referrers(subject, type);
    assertThat(found).hasSize(1);
    byte[] bytes = repository.manifest(found.getFirst().digest().toString()).orElseThrow().bytes();
    ImageManifest manifest = OciJson.manifest(bytes);
    assertThat(Optional.ofNullable(manifest.subject()).map(Descriptor::digest)).hasValue(subject);
    assertThat(manifest.artifactType()).isEqualTo(type);
    assertThat(manifest.annotations()).containsEntry("title", text);
    assertThat(new String(bytes, StandardCharsets.UTF_8)).contains("\"x-own\":1.5");
    try (InputStream blob = repository.openBlob(manifest.layers().getFirst().digest())) {
      assertThat(blob.readAllBytes()).asString(StandardCharsets.UTF_8).isEqualTo(text);
    }
    return found.getFirst().digest();
  }

  private void indexAndPlatformsKeepTheirs(String host) throws Exception {
    try (HttpRegistries registries = registries(host)) {
      Repository repository = registries.repository(RepositoryName.parse(host + "/app"));
      Descriptor image = push(repository, "multi", "1");
      List<Descriptor> platforms = index(repository, "1").manifests();
      Descriptor sbom = attach(repository, image, SBOM, "of the index");
      attach(repository, sbom, SIGNATURE, "of the index's SBOM");
      attach(repository, platforms.get(0), SBOM, "of the first");
      attach(repository, platforms.get(1), SBOM, "of the second");

      Ended ended =
          RunSoci.soci(
              "index", "create", "--min-layer-size", "0", "--copy-referrers", host + "/app:1");

      assertThat(ended.failure()).isEmpty();
      Digest converted = repository.headManifest("1-soci").orElseThrow().digest();
      List<Descriptor> now = index(repository, "1-soci").manifests();
      Digest copy = only(repository, converted, SBOM, "of the index");
      only(repository, copy, SIGNATURE, "of the index's SBOM");
      only(repository, now.get(0).digest(), SBOM, "of the first");
      only(repository, now.get(1).digest(), SBOM, "of the second");
      assertThat(repository.referrers(now.get(0).digest(), SociTerms.V1_TYPE)).isEmpty();
      assertThat(ended.lines())
          .contains("referrer %s -> %s of %s (%s)".formatted(sbom.digest(), copy, converted, SBOM));
      assertThat(ended.err())
          .isEqualTo(
              "soci: warning: 1 of the copied referrers are signatures, made of the old digests:"
                  + " they don't verify for the new ones; sign the new image\n");

      Ended again =
          RunSoci.soci(
              "index", "create", "--min-layer-size", "0", "--copy-referrers", host + "/app:1");

      assertThat(again.failure()).isEmpty();
      only(repository, converted, SBOM, "of the index");
    }
  }

  @Test
  void withTheReferrersApiIndexAndPlatformsKeepTheirs() throws Exception {
    try (SmallRegistry registry = SmallRegistry.start(SmallRegistry.Options.in(directory))) {
      indexAndPlatformsKeepTheirs(registry.host());
    }
  }

  @Test
  void withFallbackTagsIndexAndPlatformsKeepTheirs() throws Exception {
    if ("true".equals(System.getenv("CI"))) {
      assertThat(DockerRegistryProcess.isInstalled()).as("CI has docker-registry").isTrue();
    }
    assumeTrue(DockerRegistryProcess.isInstalled(), "docker-registry isn't installed");
    try (DockerRegistryProcess registry = DockerRegistryProcess.start(directory)) {
      indexAndPlatformsKeepTheirs(registry.host());
    }
  }

  @Test
  void ofASingleManifestItAndWhatItsTagMeansGetThem() throws Exception {
    try (SmallRegistry registry = SmallRegistry.start(SmallRegistry.Options.in(directory));
        HttpRegistries registries = registries(registry.host())) {
      Repository repository = registries.repository(RepositoryName.parse(registry.host() + "/app"));
      Descriptor image = push(repository, "single", "1");
      attach(repository, image, SBOM, "all of it");
      attach(repository, image, SIGNATURE, "signed");

      Ended ended =
          RunSoci.soci(
              "index",
              "create",
              "--min-layer-size",
              "0",
              "--referrer-type",
              SBOM,
              "--json",
              registry.host() + "/app:1");

      assertThat(ended.err()).isEmpty();
      Digest converted = repository.headManifest("1-soci").orElseThrow().digest();
      Digest manifest = index(repository, "1-soci").manifests().getFirst().digest();
      only(repository, converted, SBOM, "all of it");
      only(repository, manifest, SBOM, "all of it");
      assertThat(repository.referrers(converted, SIGNATURE)).isEmpty();
      JsonNode json = new JsonMapper().readTree(ended.out()).path("v2").path("referrers");
      assertThat(json.findValuesAsText("type")).containsExactly(SBOM, SBOM);
      assertThat(json.findValuesAsText("subject"))
          .containsExactly(manifest.toString(), converted.toString());
    }
  }

  @Test
  void anImageConvertedElsewhereGetsThemInItsRepository() throws Exception {
    try (SmallRegistry registry = SmallRegistry.start(SmallRegistry.Options.in(directory));
        HttpRegistries registries = registries(registry.host())) {
      Repository from = registries.repository(RepositoryName.parse(registry.host() + "/app"));
      Repository to = registries.repository(RepositoryName.parse(registry.host() + "/lazy/app"));
      Descriptor image = push(from, "multi", "1");
      attach(from, image, SBOM, "of the index");
      attach(from, index(from, "1").manifests().get(0), SBOM, "of the first");
      Path converted = directory.resolve("converted");
      assertThat(
              RunSoci.soci(
                      "convert",
                      "--standalone",
                      "--all-platforms",
                      "--min-layer-size",
                      "0",
                      "--format",
                      "oci-dir",
                      directory.resolve("multi").toString(),
                      converted.toString())
                  .failure())
          .isEmpty();
      PushedLayout.push(converted, to, "1");
      String source = registry.host() + "/app:1";
      String target = registry.host() + "/lazy/app:1";

      Ended plan = RunSoci.soci("referrers", "copy", "--dry-run", source, target);
      assertThat(plan.lines())
          .hasSize(2)
          .allMatch(line -> line.startsWith("would copy referrer sha256:"));
      Ended ended = RunSoci.soci("referrers", "copy", source, target);

      assertThat(ended.failure()).isEmpty();
      only(to, to.headManifest("1").orElseThrow().digest(), SBOM, "of the index");
      only(to, index(to, "1").manifests().get(0).digest(), SBOM, "of the first");
    }
  }

  @Test
  void aListThatLiesCopiesNothing() throws Exception {
    try (SmallRegistry registry =
            SmallRegistry.start(SmallRegistry.Options.in(directory).withReferrersApi(false));
        HttpRegistries registries = registries(registry.host())) {
      Repository repository = registries.repository(RepositoryName.parse(registry.host() + "/app"));
      Descriptor image = push(repository, "single", "1");
      Descriptor other = push(repository, "multi", "2");
      Descriptor sbom = attach(repository, other, SBOM, "of another image");
      byte[] list =
          OciJson.write(
              new ImageIndex(
                  MediaTypes.OCI_INDEX, "", List.of(sbom.withArtifactType(SBOM)), null, Map.of()));
      repository.putManifest(
          image.digest().toString().replace(':', '-'), MediaTypes.OCI_INDEX, list);

      Ended ended =
          RunSoci.soci(
              "index",
              "create",
              "--index-version",
              "v2",
              "--min-layer-size",
              "0",
              "--copy-referrers",
              registry.host() + "/app:1");

      assertThat(ended.exit()).isZero();
      assertThat(ended.err())
          .isEqualTo(
              "soci: warning: referrer %s wasn't copied: it is listed, but doesn't refer to %s\n"
                  .formatted(sbom.digest(), image.digest()));
      assertThat(ended.lines()).contains("no referrers to copy");
    }
  }

  @Test
  void whereItMeansNothingItSaysSo() throws Exception {
    try (SmallRegistry registry = SmallRegistry.start(SmallRegistry.Options.in(directory));
        HttpRegistries registries = registries(registry.host())) {
      Repository repository = registries.repository(RepositoryName.parse(registry.host() + "/app"));
      push(repository, "single", "1");
      push(repository, "multi", "2");

      Ended v1 =
          RunSoci.soci(
              "index",
              "create",
              "--index-version",
              "v1",
              "--copy-referrers",
              registry.host() + "/app:1");
      Ended strangers =
          RunSoci.soci("referrers", "copy", registry.host() + "/app:1", registry.host() + "/app:2");

      assertThat(v1.exit()).isEqualTo(2);
      assertThat(v1.failure()).contains("--copy-referrers is for v2");
      assertThat(strangers.exit()).isEqualTo(1);
      assertThat(strangers.failure()).contains("wasn't made of").doesNotContain("\n");
    }
  }
}
