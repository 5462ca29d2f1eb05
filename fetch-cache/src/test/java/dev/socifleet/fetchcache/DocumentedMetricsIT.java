package dev.socifleet.fetchcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.socifleet.fetchcache.StrictRegistry.Fault;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The page for operators names each metric that there is, and no other. */
@Timeout(300)
class DocumentedMetricsIT {
  private static final Pattern NAME = Pattern.compile("soci_cache_[a-z_]+");

  @TempDir Path directory;

  @Test
  void theMetricsAreTheDocumentedOnes() throws Exception {
    TestLayer layer = TestLayer.make(15, 1 << 20, 128 << 10);
    try (StrictRegistry registry = new StrictRegistry();
        TestCache cache = new TestCache(directory, registry)) {
      // Some come into being by what they count.
      registry.put("team/app", layer.blob());
      registry.misbehave(request -> new Fault.Status(403, List.of()));
      assertThat(cache.getOne("team/app", layer.digest(), layer.spans().getFirst()).statusCode())
          .isEqualTo(403);
      Set<String> documented = names(Files.readString(Path.of("../docs/fetch-cache.md")));
      // A request is counted, by its time and outcome, when its answer has gone.
      await()
          .atMost(Duration.ofMinutes(2))
          .untilAsserted(() -> assertThat(families(cache)).isEqualTo(documented));
    }
  }

  private static Set<String> families(TestCache cache) {
    Set<String> there = new TreeSet<>();
    for (String name : names(cache.metrics())) {
      there.add(name.replaceFirst("(?<=_seconds)_(bucket|count|sum|max)$", ""));
    }
    return there;
  }

  private static Set<String> names(String text) {
    Set<String> names = new TreeSet<>();
    for (Matcher each = NAME.matcher(text); each.find(); ) {
      names.add(each.group());
    }
    return names;
  }
}
