package dev.socifleet.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.cli.RunSoci.Ended;
import dev.socifleet.embedded.registry.SmallRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A real containerd collects its garbage around what soci create, push and convert have made there:
 * nothing of an image is lost as long as its record is there, and all goes with it.
 */
@Timeout(600)
class GarbageCollectionIT {
  private static final List<String> FIELDS = List.of("config", "layers", "manifests");

  @TempDir private Path directory;
  private ContainerdWithImages containerd;
  private RegistryWithImages<SmallRegistry> registry;

  @BeforeEach
  void start() throws Exception {
    containerd = ContainerdWithImages.start(directory);
    registry = RegistryWithImages.small(directory);
  }

  @AfterEach
  void stop() {
    if (containerd != null) {
      containerd.close();
    }
    if (registry != null) {
      registry.close();
    }
  }

  /** An image at the registry that containerd has pulled. */
  private String pulled() throws Exception {
    registry.push("multi", "1");
    String image = registry.app("1");
    pull(image);
    return image;
  }

  private void pull(String image) throws Exception {
    containerd.ctr("content", "fetch", "--plain-http", "--all-platforms", image);
  }

  private void remove(String image) throws Exception {
    containerd.ctr("images", "rm", "--sync", image);
  }

  private Set<String> content() throws Exception {
    return new TreeSet<>(containerd.ctr("content", "ls", "-q").lines().toList());
  }

  private String target(String image) throws Exception {
    return containerd
        .ctr("images", "ls")
        .lines()
        .map(line -> line.strip().split("\\s+"))
        .filter(columns -> columns[0].equals(image))
        .map(columns -> columns[2])
        .findFirst()
        .orElseThrow();
  }

  /** Everything that an image refers to, zTOCs of converted images too. */
  private Set<String> whole(String image) throws Exception {
    Set<String> all = new TreeSet<>();
    reach(target(image), all);
    return all;
  }

  private void reach(String digest, Set<String> all) throws Exception {
    if (!all.add(digest)) {
      return;
    }
    JsonNode document = new JsonMapper().readTree(containerd.ctr("content", "get", digest));
    for (String field : FIELDS) {
      JsonNode named = document.path(field);
      for (JsonNode one : named.isArray() ? named : List.of(named)) {
        String child = one.path("digest").asText();
        if (child.isEmpty()) {
          continue; // a document without that field
        }
        if (field.equals("manifests")) {
          reach(child, all);
        } else {
          all.add(child);
        }
      }
    }
  }

  private Ended soci(String... command) {
    Ended ended = containerd.soci(command);
    assertThat(ended.failure()).isEmpty();
    return ended;
  }

  private void assertNoLease() throws Exception {
    assertThat(containerd.ctr("leases", "ls", "-q")).isBlank();
  }

  @Test
  void anImageThatIsRemovedAndPulledAgainIsIndexedAgain() throws Exception {
    String image = pulled();
    Ended first = soci("create", "--min-layer-size", "0", "--all-platforms", image);
    containerd.collectGarbage();
    Set<String> before = content();
    soci("push", "--all-platforms", image);
    containerd.collectGarbage();
    assertThat(content()).isEqualTo(before);
    assertNoLease();

    remove(image);
    assertThat(content()).isEmpty();
    pull(image);
    Ended second = soci("create", "--min-layer-size", "0", "--all-platforms", image);
    containerd.collectGarbage();

    assertThat(new TreeSet<>(second.lines())).isEqualTo(new TreeSet<>(first.lines()));
    assertThat(content()).isEqualTo(before);
    assertThat(soci("push", "--all-platforms", "--existing-index", "allow", image).out())
        .contains("skipped artifact with digest: ");
    assertThat(RunSoci.soci("verify", "--all-platforms", image).exit()).isZero();
  }

  @Test
  void aConvertedImageIsWholeWithoutItsSource() throws Exception {
    String image = pulled();
    String made = registry.app("1-soci");
    soci("convert", "--min-layer-size", "0", "--all-platforms", image, made);
    Set<String> whole = whole(made);

    remove(image);
    containerd.collectGarbage();

    assertThat(content()).isEqualTo(whole);
    assertNoLease();
    remove(made);
    assertThat(content()).isEmpty();
  }

  @Test
  void aConvertedImageThatIsRemovedAndPulledAgainIsTheSame() throws Exception {
    String image = pulled();
    String made = registry.app("1-soci");
    soci("convert", "--min-layer-size", "0", "--all-platforms", image, made);
    String target = target(made);
    Set<String> whole = whole(made);
    containerd.ctr("images", "push", "--plain-http", made);
    remove(image);
    remove(made);

    pull(made);
    containerd.collectGarbage();

    assertThat(target(made)).isEqualTo(target);
    assertThat(content()).isEqualTo(whole);
    String again = registry.app("again");
    soci("convert", "--min-layer-size", "0", "--all-platforms", made, again);
    remove(made);
    containerd.collectGarbage();
    assertThat(target(again)).isEqualTo(target);
    assertThat(content()).isEqualTo(whole);
  }

  @Test
  void whatIsBeingMadeIsHeld() throws Exception {
    String image = pulled();
    String made = registry.app("1-soci");
    Files.createDirectories(directory.resolve("root"));
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Integer> work =
          threads.submit(() -> {
            for (int round = 0; round < 5; round++) {
              soci("create", "--force", "--min-layer-size", "0", "--all-platforms", image);
              soci("convert", "--force", "--min-layer-size", "0", "--all-platforms", image, made);
            }
            return 0;
          });
      while (!work.isDone()) {
        containerd.collectGarbage();
      }
      work.get();
    }
    containerd.collectGarbage();

    assertThat(content()).containsAll(whole(made)).containsAll(whole(image));
    soci("push", "--all-platforms", image);
    containerd.ctr("images", "push", "--plain-http", made);
    for (String verified : List.of(image, made)) {
      Ended ended = RunSoci.soci("verify", "--all-platforms", verified);
      assertThat(ended.exit()).as(ended.out() + ended.err()).isZero();
    }
    assertNoLease();
  }
}
