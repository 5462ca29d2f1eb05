package dev.socifleet.cli.referrers;

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
import dev.socifleet.oci.ImageIndex;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Repository;
import dev.socifleet.sociindex.SociTerms;
import dev.socifleet.testing.PushedLayout;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What refers to an image follows it when it is converted, on request. */
@Timeout(600)
class ReferrersCopyIT {
  private static final String SBOM = "application/spdx+json";
  private static final String SIGNATURE = "application/vnd.cncf.notary.signature";

  @TempDir private Path directory;

  private static Ended create(String reference, String... more) {
    List<String> arguments = new ArrayList<>(List.of("index", "create", "--min-layer-size", "0"));
    arguments.addAll(List.of(more));
    arguments.add(reference);
    return RunSoci.soci(arguments);
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

  private static void indexAndPlatformsKeepTheirs(RegistryWithImages<?> registry) throws Exception {
    try (registry) {
      Repository repository = registry.app();
      Descriptor image = registry.push("multi", "1");
      List<Descriptor> platforms = index(repository, "1").manifests();
      Descriptor sbom = attach(repository, image, SBOM, "of the index");
      attach(repository, sbom, SIGNATURE, "of the index's SBOM");
      attach(repository, platforms.get(0), SBOM, "of the first");
      attach(repository, platforms.get(1), SBOM, "of the second");

      Ended ended = create(registry.app("1"), "--copy-referrers");

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

      Ended again = create(registry.app("1"), "--copy-referrers");

      assertThat(again.failure()).isEmpty();
      only(repository, converted, SBOM, "of the index");
    }
  }

  @Test
  void withTheReferrersApiIndexAndPlatformsKeepTheirs() throws Exception {
    indexAndPlatformsKeepTheirs(RegistryWithImages.small(directory));
  }

  @Test
  void withFallbackTagsIndexAndPlatformsKeepTheirs() throws Exception {
    indexAndPlatformsKeepTheirs(RegistryWithImages.docker(directory));
  }

  @Test
  void ofASingleManifestItAndWhatItsTagMeansGetThem() throws Exception {
    try (RegistryWithImages<SmallRegistry> registry = RegistryWithImages.small(directory)) {
      Repository repository = registry.app();
      Descriptor image = registry.push("single", "1");
      attach(repository, image, SBOM, "all of it");
      attach(repository, image, SIGNATURE, "signed");

      Ended ended = create(registry.app("1"), "--referrer-type", SBOM, "--json");

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
    try (RegistryWithImages<SmallRegistry> registry = RegistryWithImages.small(directory)) {
      Repository from = registry.app();
      Repository to = registry.repository("lazy/app");
      Descriptor image = registry.push("multi", "1");
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
      String source = registry.app("1");
      String target = registry.reference("lazy/app", "1");

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

  /** Without the Referrers API a list is a manifest that anybody may write. */
  private static void list(Repository repository, Descriptor subject, List<Descriptor> referrers)
      throws IOException {
    repository.putManifest(
        subject.digest().toString().replace(':', '-'),
        MediaTypes.OCI_INDEX,
        OciJson.write(new ImageIndex(MediaTypes.OCI_INDEX, "", referrers, null, Map.of())));
  }

  @Test
  void ofTooManyThoseOfATypeCanBeCopied() throws Exception {
    try (RegistryWithImages<SmallRegistry> registry = RegistryWithImages.small(directory, false)) {
      Repository repository = registry.app();
      Descriptor image = registry.push("single", "1");
      Descriptor sbom = attach(repository, image, SBOM, "the only one");
      List<Descriptor> listed =
          new ArrayList<>(Collections.nCopies(300, sbom.withArtifactType(SIGNATURE)));
      listed.add(sbom.withArtifactType(SBOM));
      list(repository, image, listed);

      Ended all = create(registry.app("1"), "--index-version", "v2", "--copy-referrers");
      Ended some = create(registry.app("1"), "--index-version", "v2", "--referrer-type", SBOM);

      assertThat(all.exit()).isEqualTo(1);
      assertThat(all.failure()).contains("over 256; say which types").hasLineCount(1);
      assertThat(some.err()).isEmpty();
      Digest converted = repository.headManifest("1-soci").orElseThrow().digest();
      only(repository, converted, SBOM, "the only one");
    }
  }

  @Test
  void aListThatLiesCopiesNothing() throws Exception {
    try (RegistryWithImages<SmallRegistry> registry = RegistryWithImages.small(directory, false)) {
      Repository repository = registry.app();
      Descriptor image = registry.push("single", "1");
      Descriptor other = registry.push("multi", "2");
      Descriptor sbom = attach(repository, other, SBOM, "of another image");
      list(repository, image, List.of(sbom.withArtifactType(SBOM)));

      Ended ended = create(registry.app("1"), "--index-version", "v2", "--copy-referrers");

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
    try (RegistryWithImages<SmallRegistry> registry = RegistryWithImages.small(directory)) {
      registry.push("single", "1");
      registry.push("multi", "2");

      Ended v1 = create(registry.app("1"), "--index-version", "v1", "--copy-referrers");
      Ended strangers = RunSoci.soci("referrers", "copy", registry.app("1"), registry.app("2"));

      assertThat(v1.exit()).isEqualTo(2);
      assertThat(v1.failure()).contains("--copy-referrers is for v2");
      assertThat(strangers.exit()).isEqualTo(1);
      assertThat(strangers.failure()).contains("wasn't made of").doesNotContain("\n");
    }
  }
}
