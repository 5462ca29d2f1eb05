package dev.socifleet.systemtests;

import static org.assertj.core.api.Assertions.assertThatCode;

import dev.socifleet.fetchcache.FetchCacheConfig;
import dev.socifleet.indexer.IndexerConfig;
import dev.socifleet.ingest.IngestConfig;
import dev.socifleet.node.NodeConfig;
import dev.socifleet.pusher.PusherConfig;
import dev.socifleet.service.Settings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** docs/settings.md is true: each service takes its section as its configuration file. */
@Timeout(600)
class SettingsDocTest {
  private static final Map<String, Function<Settings, Object>> SERVICES =
      Map.of(
          "ingest", IngestConfig::from,
          "indexer", IndexerConfig::from,
          "pusher", PusherConfig::from,
          "fetch-cache", FetchCacheConfig::from,
          "snapshotter-node", NodeConfig::from);

  @TempDir Path directory;

  static Stream<String> services() {
    return SERVICES.keySet().stream().sorted();
  }

  @ParameterizedTest
  @MethodSource("services")
  void aServiceTakesWhatTheDocumentSays(String service) throws Exception {
    Settings settings = Settings.load(service, "--config", file(service, "").toString());
    assertThatCode(() -> SERVICES.get(service).apply(settings)).doesNotThrowAnyException();
  }

  @Test
  void aKeyThatNoServiceKnowsWouldBeSeen() throws Exception {
    Settings settings =
        Settings.load("pusher", "--config", file("pusher", "nonsense = 1").toString());
    assertThatCode(() -> PusherConfig.from(settings)).hasMessageContaining("nonsense");
  }

  private Path file(String service, String more) throws Exception {
    String document = Files.readString(ProjectRoot.find().resolve("docs/settings.md"));
    var block =
        Pattern.compile("## " + service + "\\n\\n```toml\\n(.*?)```", Pattern.DOTALL)
            .matcher(document);
    if (!block.find()) {
      throw new AssertionError("docs/settings.md has no section for " + service);
    }
    for (String secret : List.of("webhook", "token", "registry-password")) {
      Path path = directory.resolve(secret);
      Files.writeString(path, "0123456789abcdef0123456789abcdef0123456789abcdef");
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
    }
    String text = block.group(1).replace("/etc/soci-fleet/", directory + "/");
    return Files.writeString(directory.resolve(service + ".toml"), more + "\n" + text);
  }
}
