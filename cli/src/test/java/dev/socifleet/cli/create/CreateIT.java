package dev.socifleet.cli.create;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.socifleet.cli.ContainerdWithImages;
import dev.socifleet.cli.RunSoci.Ended;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code soci create} on a real containerd. */
@Timeout(1200)
class CreateIT {
  /** Not whole, or no images: containerd doesn't import them, or ours differ on purpose. */
  private static final Set<String> ELSEWHERE = Set.of("missing-layer", "artifact-config");

  /** Where the existing tool fails an image, or makes what we refuse. */
  private static final Set<String> DIFFERENT =
      Set.of(
          "annotated create min0",
          "annotated create min50k-span64k",
          "nested create min0",
          "nested create min50k-span64k",
          "nested create all",
          "no-platform-index create min0",
          "no-platform-index create min50k-span64k",
          "no-platform-index create all",
          "one-bad-layer create min0",
          "one-bad-layer create min50k-span64k",
          "one-bad-layer create all",
          "one-odd-layer create min0",
          "one-odd-layer create all",
          "multi-one-bad create all",
          "s390x-only create min0",
          "s390x-only create min50k-span64k",
          "single create arm64",
          "single create amd64+arm64",
          "uncompressed create arm64",
          "uncompressed create amd64+arm64",
          "single create span-zero",
          "multi create span-zero",
          "uncompressed create span-zero");

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

  @Test
  void theIndexesAreTheExistingTools() throws Exception {
    int compared = 0;
    for (String image : containerd.vectors().names()) {
      if (ELSEWHERE.contains(image)) {
        continue;
      }
      String reference = containerd.add(image);
      for (Map.Entry<String, JsonNode> run : containerd.vectors().results(image).properties()) {
        String name = image + " " + run.getKey();
        if (run.getKey().startsWith("create ") && !DIFFERENT.contains(name)) {
          isTheSame(name, reference, run.getValue());
          compared++;
        }
      }
    }
    assertThat(compared).isGreaterThan(60);
  }

  private void isTheSame(String name, String reference, JsonNode recorded) throws Exception {
    String root = name.replace(' ', '-');
    List<String> arguments = new ArrayList<>(List.of("--content-store", "soci", "create"));
    recorded.path("args").forEach(argument -> arguments.add(argument.asText()));
    arguments.add(reference);

    Ended ended = containerd.sociAt(root, arguments.toArray(String[]::new));

    if (recorded.path("exit").asInt() != 0) {
      assertThat(ended.exit()).as(name).isNotZero();
      assertThat(ended.failure()).hasLineCount(1);
      return;
    }
    assertThat(ended.failure()).as(name).isEmpty();
    Path blobs = directory.resolve(root).resolve("content/blobs/sha256");
    Set<String> expected = new TreeSet<>();
    for (Map.Entry<String, JsonNode> document : recorded.path("new-json").properties()) {
      expected.add(document.getKey());
      assertThat(blobs.resolve(document.getKey().substring(7)))
          .as(name)
          .hasContent(document.getValue().asText());
    }
    recorded.path("other-blobs").fieldNames().forEachRemaining(expected::add);
    try (Stream<Path> files = Files.list(blobs)) {
      assertThat(files.map(file -> "sha256:" + file.getFileName()))
          .as(name)
          .containsExactlyInAnyOrderElementsOf(expected);
    }
    assertThat(new TreeSet<>(ended.lines()))
        .as(name)
        .isEqualTo(
            new TreeSet<>(
                recorded.path("stdout").asText().lines().filter(l -> !l.isBlank()).toList()));
  }

  @Test
  void everyPlatformsIndexOutlivesGarbageCollection() throws Exception {
    String reference = containerd.add("multi");

    Ended ended = containerd.soci("create", "--min-layer-size", "0", "--all-platforms", reference);
    assertThat(ended.failure()).isEmpty();
    containerd.ctr("content", "prune", "references");

    Set<String> content = new TreeSet<>(containerd.ctr("content", "ls", "-q").lines().toList());
    JsonNode recorded = containerd.vectors().results("multi").path("create all");
    recorded.path("new-json").fieldNames().forEachRemaining(d -> assertThat(content).contains(d));
    recorded
        .path("other-blobs")
        .fieldNames()
        .forEachRemaining(d -> assertThat(content).contains(d));
    assertThat(containerd.ctr("leases", "ls", "-q")).isBlank();

    containerd.ctr("images", "rm", "--sync", reference);
    assertThat(containerd.ctr("content", "ls", "-q")).isBlank();
  }

  @Test
  void whatIsThereIsNotBuiltAgain() throws Exception {
    String reference = containerd.add("single");
    assertThat(containerd.soci("create", "--min-layer-size", "0", reference).failure()).isEmpty();

    Ended again = containerd.soci("create", "--min-layer-size", "0", reference);
    Ended forced = containerd.soci("create", "--min-layer-size", "0", "--force", reference);

    assertThat(again.lines()).hasSize(4).allMatch(line -> line.endsWith(" (already exists)"));
    assertThat(forced.lines()).hasSize(4).noneMatch(line -> line.endsWith(" (already exists)"));
  }

  @Test
  void badInputIsOneLine() throws Exception {
    String reference = containerd.add("single");

    assertThat(containerd.soci("create", "example.test/absent:1").failure())
        .contains("image \"example.test/absent:1\": not found")
        .hasLineCount(1);
    assertThat(containerd.soci("create", "--platform", "linux/arm64", reference).failure())
        .contains("image manifest for linux/arm64: not found")
        .hasLineCount(1);
    assertThat(containerd.soci("create", reference).failure())
        .contains("no ztocs created")
        .hasLineCount(1);
    assertThat(containerd.soci("create", "--span-size", "0", reference).failure())
        .contains("span size must be at least 1")
        .hasLineCount(1);
  }
}
