package dev.socifleet.cli.artifacts;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.cli.ContainerdWithImages;
import dev.socifleet.cli.RunSoci.Ended;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The lists, as the existing tool prints them; removal; the catalogue made anew. */
@Timeout(600)
class ArtifactsIT {
  @TempDir private Path directory;
  private ContainerdWithImages containerd;

  @BeforeEach
  void start() throws Exception {
    containerd = ContainerdWithImages.start(directory);
  }

  @AfterEach
  void stop() {
    if (containerd != null) {
      containerd.close();
    }
  }

  private JsonNode recorded(String image, String run) throws Exception {
    return containerd.vectors().results(image).path(run);
  }

  private void create(String run, String reference) throws Exception {
    List<String> arguments = new ArrayList<>(List.of("create"));
    recorded("single", run).path("args").forEach(argument -> arguments.add(argument.asText()));
    arguments.add(reference);
    assertThat(containerd.soci(arguments.toArray(String[]::new)).failure()).isEmpty();
  }

  /** The lines of a list, however old what it lists has become meanwhile. */
  private static List<String> lines(String text) {
    return text.lines()
        .filter(line -> !line.isBlank())
        .map(line -> line.replaceAll("(\\d+[hms])+ ago", "0s ago").stripTrailing())
        .toList();
  }

  /** Columns are 4 wider than their widest cell, the last one too. */
  private static void assertFilledUp(Ended list) {
    assertThat(list.lines())
        .extracting(String::length)
        .containsOnly(list.lines().getFirst().length());
    assertThat(list.lines()).allMatch(line -> line.endsWith("    "));
    assertThat(list.lines()).anyMatch(line -> line.endsWith("    ") && !line.endsWith("     "));
  }

  @Test
  void theListsAreTheExistingTools() throws Exception {
    String reference = containerd.add("single");
    create("create min0", reference);
    JsonNode recorded = recorded("single", "create min0");

    Ended indexes = containerd.soci("index", "list");

    assertThat(lines(indexes.out())).isEqualTo(lines(recorded.path("index list").asText()));
    assertFilledUp(indexes);
    assertThat(containerd.soci("index", "ls", "--ref", "example.test/other:1").lines()).hasSize(1);
    assertThat(containerd.soci("index", "ls", "-q", "--platform", "linux/arm64").lines()).isEmpty();
  }

  @Test
  void zTocsAreListedAndFilesReadThroughThem() throws Exception {
    String reference = containerd.add("single");
    create("create min0", reference);
    JsonNode recorded = recorded("single", "create min0");
    List<String> digests = containerd.soci("ztoc", "list", "--quiet").lines();

    assertThat(lines(containerd.soci("ztoc", "list").out()))
        .isEqualTo(lines(recorded.path("ztoc list").asText()));
    assertThat(containerd.soci("ztoc", "ls", "-q", "--image-ref", reference).lines())
        .isEqualTo(digests);
    assertThat(containerd.soci("ztoc", "ls", "-q", "--ztoc-digest", digests.get(1)).lines())
        .containsExactly(digests.get(1));
    JsonNode info =
        new JsonMapper().readTree(containerd.soci("ztoc", "info", digests.getFirst()).out());
    assertThat(info.path("num_files").asInt()).isEqualTo(info.path("files").size());

    for (JsonNode file : info.path("files")) {
      if (file.path("type").asText().equals("reg") && file.path("size").asInt() > 0) {
        Path out = directory.resolve("file");
        Ended ended =
            containerd.soci(
                "ztoc",
                "get-file",
                digests.getFirst(),
                file.path("filename").asText(),
                "-o",
                out.toString());
        assertThat(ended.failure()).isEmpty();
        assertThat(out).hasSize(file.path("size").asLong());
        return;
      }
    }
    throw new AssertionError("no file in " + info);
  }

  @Test
  void infoIsTheManifestIndented() throws Exception {
    create("create min0", containerd.add("single"));
    List<String> quiet = containerd.soci("index", "list", "--quiet").lines();

    Ended info = containerd.soci("index", "info", quiet.getFirst());

    assertThat(quiet).hasSize(1);
    assertThat(info.lines())
        .startsWith(
            "{",
            "  \"schemaVersion\": 2,",
            "  \"mediaType\": \"application/vnd.oci.image.manifest.v1+json\",")
        .endsWith("}");
    assertThat(new JsonMapper().readTree(info.out()))
        .isEqualTo(
            new JsonMapper()
                .readTree(
                    recorded("single", "create min0")
                        .path("new-json")
                        .path(quiet.getFirst())
                        .asText()));
  }

  @Test
  void prefetchArtifactsAreListed() throws Exception {
    create("create prefetch", containerd.add("single"));

    Ended list = containerd.soci("prefetch", "list");
    JsonNode json = new JsonMapper().readTree(containerd.soci("prefetch", "ls", "--json").out());
    Ended info = containerd.soci("prefetch", "info", json.path(0).path("Digest").asText());

    assertThat(list.lines()).hasSize(2);
    assertThat(list.lines().getFirst()).startsWith("DIGEST ").contains("LAYER DIGEST ");
    assertThat(json.path(0).path("TotalSpans").asInt()).isEqualTo(4);
    assertThat(info.lines())
        .contains(
            "Version: 1.0",
            "Size: 66 bytes",
            "Prefetch Spans:",
            "  [0] StartSpan: 0, EndSpan: 3 (covers 4 spans)",
            "Total spans to prefetch: 4");
  }

  @Test
  void anIndexIsRemovedWithItsBlob() throws Exception {
    String reference = containerd.add("single");
    create("create min0", reference);
    String digest = containerd.soci("index", "list", "-q").lines().getFirst();

    assertThat(containerd.soci("index", "remove").exit()).isEqualTo(2);
    assertThat(containerd.soci("index", "rm", "sha256:" + "0".repeat(64)).failure())
        .contains("there is no SOCI index")
        .hasLineCount(1);
    assertThat(containerd.soci("index", "rm", "--ref", reference).failure()).isEmpty();

    assertThat(containerd.soci("index", "list", "-q").lines()).isEmpty();
    assertThat(containerd.ctr("content", "ls", "-q")).doesNotContain(digest);
  }

  @Test
  void theCatalogueIsMadeAnewFromEitherStore() throws Exception {
    String reference = containerd.add("single");
    for (String store : List.of("containerd", "soci")) {
      List<String> global = List.of("--content-store", store);
      assertThat(at(store, global, "create", "--min-layer-size", "0", reference).failure())
          .isEmpty();
      assertThat(
              at(
                      store,
                      global,
                      "convert",
                      "--min-layer-size",
                      "0",
                      reference,
                      "example.test/v2:" + store)
                  .failure())
          .isEmpty();
      List<String> before = lines(at(store, global, "index", "list").out());
      assertThat(before).anyMatch(line -> line.contains(" v1 ")).anyMatch(l -> l.contains(" v2 "));
      Path catalogue = directory.resolve(store).resolve("artifacts");
      Files.move(catalogue, directory.resolve(store + "-forgotten"));

      assertThat(lines(at(store, global, "index", "list").out())).hasSize(1);
      assertThat(at(store, global, "rebuild-db").failure()).isEmpty();

      assertThat(lines(at(store, global, "index", "list").out()))
          .containsExactlyInAnyOrderElementsOf(before);
    }
  }

  /** Its catalogue is there, its artifacts are in the store, and ours is empty. */
  @Test
  void whatTheExistingToolHasBuiltIsFoundAtTheFirstUse() throws Exception {
    String reference = containerd.add("single");
    for (String store : List.of("containerd", "soci")) {
      List<String> global = List.of("--content-store", store);
      assertThat(at(store, global, "create", "--min-layer-size", "0", reference).failure())
          .isEmpty();
      List<String> before = lines(at(store, global, "index", "list").out());
      List<String> ztocs = lines(at(store, global, "ztoc", "list").out());
      Path root = directory.resolve(store);
      Files.move(root.resolve("artifacts"), directory.resolve(store + "-forgotten"));
      Path database = Files.writeString(root.resolve("artifacts.db"), "bbolt");

      Ended first = at(store, global, "index", "list");
      Ended second = at(store, global, "index", "list");

      assertThat(lines(first.out())).isEqualTo(before);
      assertThat(first.err())
          .isEqualTo(
              "found %d artifacts of another soci, whose list is %s\n"
                  .formatted(ztocs.size(), database)); // one more for the index, less the title
      assertThat(lines(second.out())).isEqualTo(before);
      assertThat(second.err()).isEmpty();
      assertThat(lines(at(store, global, "ztoc", "list").out()))
          .containsExactlyInAnyOrderElementsOf(ztocs);
      assertThat(at(store, global, "create", "--min-layer-size", "0", reference).lines())
          .filteredOn(line -> line.startsWith("layer "))
          .isNotEmpty()
          .allMatch(line -> line.endsWith("(already exists)"));
      assertThat(database).hasContent("bbolt");
    }
  }

  /** Both tools in turns: what the other one builds later is found, too. */
  @Test
  void aLaterChangeOfTheExistingToolsCatalogueIsNoticed() throws Exception {
    String reference = containerd.add("single");
    Path root = Files.createDirectories(directory.resolve("both"));
    Path database = Files.writeString(root.resolve("artifacts.db"), "bbolt");
    List<String> soci = List.of("--content-store", "soci");
    assertThat(at("both", soci, "index", "list", "-q").lines()).isEmpty();
    assertThat(at("other", soci, "create", "--min-layer-size", "0", reference).failure()).isEmpty();
    Files.move(directory.resolve("other/content"), root.resolve("content"));
    assertThat(at("both", soci, "index", "list", "-q").lines()).isEmpty();

    Files.setLastModifiedTime(database, FileTime.from(Instant.now().plusSeconds(5)));

    List<String> found = at("both", soci, "index", "list", "-q").lines();
    assertThat(found).hasSize(1);
    assertThat(at("both", soci, "index", "rm", found.getFirst()).failure()).isEmpty();
    Files.setLastModifiedTime(database, FileTime.from(Instant.now().plusSeconds(9)));
    assertThat(at("both", soci, "index", "list", "-q").lines()).isEmpty();
  }

  private Ended at(String root, List<String> global, String... arguments) {
    List<String> all = new ArrayList<>(global);
    all.addAll(List.of(arguments));
    return containerd.sociAt(root, all.toArray(String[]::new));
  }
}
