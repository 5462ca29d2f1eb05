package dev.socifleet.cli.convert;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.cli.ContainerdWithImages;
import dev.socifleet.cli.RunSoci.Ended;
import dev.socifleet.embedded.registry.SmallRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code soci convert} on a real containerd. */
@Timeout(600)
class ContainerdConvertIT {
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

  private String recorded(String image, String run) throws Exception {
    return new JsonMapper()
        .readTree(containerd.vectors().results(image).path(run).path("index.json").asText())
        .path("manifests")
        .path(0)
        .path("digest")
        .asText();
  }

  private String targetOf(String name) throws Exception {
    for (String line : containerd.ctr("images", "ls").lines().toList()) {
      String[] columns = line.strip().split("\\s+");
      if (columns[0].equals(name)) {
        return columns[2];
      }
    }
    return "";
  }

  @Test
  void theImageIsTheExistingToolsAndOutlivesGarbageCollection() throws Exception {
    for (String store : List.of("containerd", "soci")) {
      String source = containerd.add("multi");
      String made = "example.test/multi:" + store;

      Ended ended =
          containerd.sociAt(
              store,
              "--content-store",
              store,
              "convert",
              "--min-layer-size",
              "0",
              "--all-platforms",
              source,
              made);
      assertThat(ended.failure()).isEmpty();
      containerd.ctr("images", "rm", "--sync", source);
      containerd.ctr("content", "prune", "references");

      assertThat(targetOf(made)).isEqualTo(recorded("multi", "convert all"));
      assertThat(containerd.ctr("leases", "ls", "-q")).isBlank();
      Set<String> content = new TreeSet<>(containerd.ctr("content", "ls", "-q").lines().toList());
      JsonNode run = containerd.vectors().results("multi").path("convert all");
      run.path("new-json").fieldNames().forEachRemaining(d -> assertThat(content).contains(d));
      containerd.ctr("images", "rm", "--sync", made);
      assertThat(containerd.ctr("content", "ls", "-q")).isBlank();
    }
  }

  @Test
  void containerdsClientPushesIt() throws Exception {
    String source = containerd.add("single");
    Path state = Files.createDirectory(directory.resolve("registry"));
    try (SmallRegistry registry = SmallRegistry.start(SmallRegistry.Options.in(state))) {
      String made = registry.host() + "/app:soci";

      assertThat(containerd.soci("convert", "--min-layer-size", "0", source, made).failure())
          .isEmpty();
      containerd.ctr("images", "push", "--plain-http", made);
      containerd.ctr("images", "rm", "--sync", made);
      containerd.ctr("content", "fetch", "--plain-http", "--all-platforms", made);

      assertThat(targetOf(made)).isEqualTo(recorded("single", "convert all"));
    }
  }

  @Test
  void aPlatformIsAddedOnAnotherMachine() throws Exception {
    String source = containerd.add("multi");
    List<String> first = List.of("convert", "--min-layer-size", "0", "--platform", "linux/amd64");
    List<String> second = List.of("convert", "--min-layer-size", "0", "--platform", "linux/arm64");

    assertThat(run("here", first, source, "example.test/multi:a").failure()).isEmpty();
    assertThat(run("there", second, "example.test/multi:a", "example.test/multi:b").failure())
        .isEmpty();

    assertThat(targetOf("example.test/multi:b"))
        .isEqualTo(recorded("multi", "convert amd64+arm64"));
  }

  private Ended run(String root, List<String> command, String from, String to) {
    List<String> all = new ArrayList<>(command);
    all.add(from);
    all.add(to);
    return containerd.sociAt(root, all.toArray(String[]::new));
  }

  @Test
  void theDestinationNeedsATag() throws Exception {
    String source = containerd.add("single");
    for (String destination : List.of("example.test/x", "example.test:5000/x", "x:1@sha256:0")) {
      Ended ended = containerd.soci("convert", "--min-layer-size", "0", source, destination);

      assertThat(ended.failure())
          .contains(
              "the destination image must be a tagged ref of the form \"registry/repository:tag\"")
          .hasLineCount(1);
    }
  }
}
