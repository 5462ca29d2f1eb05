package dev.socifleet.cli.index;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.cli.RegistryWithImages;
import dev.socifleet.cli.RunSoci;
import dev.socifleet.cli.RunSoci.Ended;
import dev.socifleet.cli.convert.Vectors;
import dev.socifleet.embedded.registry.SmallRegistry;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.Repository;
import dev.socifleet.sociindex.SociTerms;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code soci index create} against real registries: with the Referrers API and without. */
@Timeout(600)
class RegistryIndexIT {
  private static Vectors vectors;
  @TempDir private Path directory;

  @BeforeAll
  static void open() throws IOException {
    vectors = new Vectors();
  }

  private static Ended create(String reference, String... more) {
    List<String> arguments = new ArrayList<>(List.of("index", "create", "--min-layer-size", "0"));
    arguments.addAll(List.of(more));
    arguments.add(reference);
    return RunSoci.soci(arguments);
  }

  /** Digests of the v1 indexes that the existing tool makes of an image. */
  private static Set<String> recordedV1(String image) throws IOException {
    Set<String> digests = new TreeSet<>();
    JsonNode documents = vectors.results(image).path("create all").path("new-json");
    for (Map.Entry<String, JsonNode> document : documents.properties()) {
      if (document.getValue().asText().contains(SociTerms.V1_TYPE)) {
        digests.add(document.getKey());
      }
    }
    return digests;
  }

  private static String recordedV2(String image) throws IOException {
    JsonNode run = vectors.results(image).path("convert all");
    return new JsonMapper()
        .readTree(run.path("index.json").asText())
        .path("manifests")
        .path(0)
        .path("digest")
        .asText();
  }

  private static void publishesWhatTheExistingToolMakes(RegistryWithImages<?> registry)
      throws Exception {
    try (registry) {
      for (String image : List.of("multi", "docker-list", "single", "zstd-mixed")) {
        String name = "recorded/" + image;
        Repository repository = registry.repository(name);
        registry.push(image, repository, "1.0");

        Ended ended = create(registry.reference(name, "1.0"));

        assertThat(ended.failure()).isEmpty();
        assertThat(repository.headManifest("1.0-soci").orElseThrow().digest())
            .hasToString(recordedV2(image));
        Set<String> v1 = new TreeSet<>();
        for (String line : ended.lines()) {
          if (line.startsWith("published v1 index ")) {
            String[] words = line.split(" ", -1);
            Digest of = Digest.parse(words[5]);
            v1.add(words[3]);
            assertThat(repository.referrers(of, SociTerms.V1_TYPE).stream().map(Descriptor::digest))
                .containsExactly(Digest.parse(words[3]));
          }
        }
        assertThat(v1).isEqualTo(recordedV1(image));
      }
    }
  }

  @Test
  void aSmallRegistryWithReferrers() throws Exception {
    publishesWhatTheExistingToolMakes(RegistryWithImages.small(directory));
  }

  @Test
  void aSmallRegistryWithoutReferrers() throws Exception {
    publishesWhatTheExistingToolMakes(RegistryWithImages.small(directory, false));
  }

  @Test
  void aDockerRegistry() throws Exception {
    publishesWhatTheExistingToolMakes(RegistryWithImages.docker(directory));
  }

  @Test
  void layersThatHaveAZtocInTheRepositoryAreNotRead() throws Exception {
    try (RegistryWithImages<SmallRegistry> registry = RegistryWithImages.small(directory)) {
      registry.push("multi", "base");
      registry.push("single", "derived");
      assertThat(create(registry.app("base")).failure()).isEmpty();
      int before = registry.server().accesses().size();

      Ended ended = create(registry.app("derived"));

      assertThat(ended.failure()).isEmpty();
      assertThat(ended.lines().stream().filter(line -> line.endsWith("(already exists)")))
          .hasSizeGreaterThanOrEqualTo(2);
      assertThat(ended.lines())
          .anyMatch(line ->
              line.startsWith(
                      "layer sha256:1d3033e94be0e1fccc4d398c8b2b477049274543c2aab1eee508c40d19280b76")
                  && line.endsWith("(already exists)"));
      assertThat(
              registry.server().accesses().stream()
                  .skip(before)
                  .filter(access -> access.method().equals("GET"))
                  .map(SmallRegistry.Access::path))
          .noneMatch(path ->
              path.endsWith("1d3033e94be0e1fccc4d398c8b2b477049274543c2aab1eee508c40d19280b76"));
      assertThat(registry.app().headManifest("derived-soci").orElseThrow().digest())
          .hasToString(recordedV2("single"));
    }
  }

  @Test
  void aDryRunReadsNoLayerAndWritesNothing() throws Exception {
    try (RegistryWithImages<SmallRegistry> registry = RegistryWithImages.small(directory)) {
      registry.push("multi", "1");
      int before = registry.server().accesses().size();

      Ended ended = create(registry.app("1"), "--dry-run");

      assertThat(ended.failure()).isEmpty();
      assertThat(ended.out())
          .contains("linux/amd64 sha256:")
          .contains("would be read and indexed")
          .contains("would publish v2 image " + registry.app("1-soci"));
      Stream<SmallRegistry.Access> during = registry.server().accesses().stream().skip(before);
      assertThat(during.map(SmallRegistry.Access::method).distinct()).isSubsetOf("GET", "HEAD");
      assertThat(registry.app().tags()).containsExactly("1");
    }
  }

  @Test
  void onlyOnePlatformAndOnlyV1() throws Exception {
    try (RegistryWithImages<SmallRegistry> registry = RegistryWithImages.small(directory)) {
      registry.push("multi", "1");

      Ended ended = create(registry.app("1"), "--platform", "linux/arm64", "--index-version", "v1");

      assertThat(ended.failure()).isEmpty();
      assertThat(ended.lines().stream().filter(line -> line.startsWith("published")))
          .singleElement()
          .asString()
          .startsWith("published v1 index ");
      assertThat(registry.app().tags()).containsExactly("1");
    }
  }

  @Test
  void theResultAsJson() throws Exception {
    try (RegistryWithImages<SmallRegistry> registry = RegistryWithImages.small(directory)) {
      registry.push("single", "1");

      Ended ended = create(registry.app("1"), "--json");

      JsonNode json = new JsonMapper().readTree(ended.out().getBytes(StandardCharsets.UTF_8));
      assertThat(json.path("v2").path("image").asText()).isEqualTo(recordedV2("single"));
      assertThat(json.path("v2").path("tag").asText()).isEqualTo("1-soci");
      assertThat(json.path("v1")).hasSize(1);
    }
  }

  @Test
  void badInputIsOneLine() throws Exception {
    try (RegistryWithImages<SmallRegistry> registry = RegistryWithImages.small(directory)) {
      Digest digest = registry.push("single", "1").digest();

      assertOneLine(create(registry.app("absent")), 1, "there is no image");
      assertOneLine(create("NOT A REFERENCE"), 2, "is no image reference");
      assertOneLine(create(registry.app().name() + "@" + digest), 2, "has no tag");
      assertOneLine(
          create(registry.app("1"), "--platform", "linux/s390x"),
          1,
          "image manifest for linux/s390x: not found");
      assertOneLine(create(registry.app("1"), "--platform", "x"), 2, "not a platform");
      assertOneLine(create(registry.app("1"), "--index-version", "v3"), 2, "--index-version");
      assertOneLine(RunSoci.soci("index", "create", registry.app("1")), 1, "no ztocs created");
      assertThat(registry.app().tags()).containsExactly("1");
    }
  }

  private static void assertOneLine(Ended ended, int exit, String part) {
    assertThat(ended.err().lines().toList()).as(ended.err()).hasSize(1);
    assertThat(ended.failure()).contains(part);
    assertThat(ended.exit()).isEqualTo(exit);
  }
}
