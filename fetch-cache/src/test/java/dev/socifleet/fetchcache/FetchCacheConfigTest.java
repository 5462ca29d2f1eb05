package dev.socifleet.fetchcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.socifleet.service.BadSettingsException;
import dev.socifleet.service.Settings;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FetchCacheConfigTest {
  private static FetchCacheConfig read(String... lines) {
    Map<String, String> settings = new HashMap<>(Map.of("registry.0.host", "registry.example"));
    for (String line : lines) {
      int equals = line.indexOf('=');
      settings.put(line.substring(0, equals), line.substring(equals + 1));
    }
    return FetchCacheConfig.from(Settings.of(settings));
  }

  private static void assertProblem(String problem, String... lines) {
    assertThatThrownBy(() -> read(lines))
        .isInstanceOfSatisfying(
            BadSettingsException.class,
            e -> assertThat(e.problems()).anyMatch(text -> text.contains(problem)));
  }

  @Test
  void theDefaultsServeThisMachineOnly() {
    FetchCacheConfig config = read();
    assertThat(config.listen().getHostString()).isEqualTo("127.0.0.1");
    assertThat(config.adminListen().getHostString()).isEqualTo("127.0.0.1");
    assertThat(config.tls()).isEmpty();
    assertThat(config.peers()).isEmpty();
    assertThat(config.runBytes()).isLessThanOrEqualTo(config.memoryBytes() / 4);
  }

  @Test
  void othersAreServedOverTlsOnlyUnlessOneSaysSo() {
    assertProblem("isn't a loopback address", "listen=0.0.0.0:7720");
    assertThat(read("listen=0.0.0.0:7720", "insecure=true").tls()).isEmpty();
    assertThat(read("listen=0.0.0.0:7720", "tls.certificate=/c", "tls.key=/k").tls()).isPresent();
    assertProblem("needs tls.key", "tls.certificate=/c");
    assertProblem("set token-file", "admin.listen=0.0.0.0:7721");
  }

  @Test
  void aMemberMustKnowItselfAmongTheOthers() {
    assertProblem(
        "must be one of peers.members", "peers.members=https://a:1", "peers.self=https://b:1");
    assertProblem("must be one of peers.members", "peers.members=https://a:1");
    assertProblem("must be one of peers.members", "peers.self=https://a:1");
    assertProblem(
        "isn't on this machine",
        "peers.members=http://192.0.2.1:1",
        "peers.self=http://192.0.2.1:1");
    assertThat(read("peers.members=https://a:1,https://b:1", "peers.self=https://b:1/").peers())
        .isPresent();
  }

  @Test
  void sizesThatCannotWorkAreNamed() {
    assertProblem("at least", "limit=1MiB");
    assertProblem("at least", "memory=1KiB");
    assertProblem("a quarter of memory", "memory=16MiB", "run-limit=8MiB");
    assertProblem("half of memory", "memory=16MiB", "ztoc-limit=9MiB");
    assertProblem("at least 100ms", "registry-patience=1ms");
    assertProblem("at least 100ms", "reader-patience=1ms");
  }

  @Test
  void aCacheOfNoRegistryIsRefused() {
    assertThatThrownBy(() -> FetchCacheConfig.from(Settings.of(Map.of())))
        .isInstanceOfSatisfying(
            BadSettingsException.class,
            e -> assertThat(e.problems()).anyMatch(text -> text.contains("[[registry]]")));
  }
}
