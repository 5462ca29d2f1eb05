package dev.socifleet.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.socifleet.service.BadSettingsException;
import dev.socifleet.service.Settings;
import dev.socifleet.sociindex.SociIndex;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class NodeConfigTest {
  @Test
  void withoutSettingsItIsWhereContainerdsUsersExpectIt() {
    NodeConfig config = NodeConfig.from(Settings.of(Map.of()));

    assertThat(config.root()).isEqualTo(Path.of("/var/lib/soci-snapshotter-grpc"));
    assertThat(config.socket())
        .isEqualTo(Path.of("/run/soci-snapshotter-grpc/soci-snapshotter-grpc.sock"));
    assertThat(config.controlSocket())
        .isEqualTo(Path.of("/var/lib/soci-snapshotter-grpc/control.sock"));
    assertThat(config.images().versions()).containsOnly(SociIndex.Version.values());
    assertThat(config.images().mountTimeout()).isEqualTo(Duration.ofSeconds(30));
    assertThat(config.images().maxZtocSize())
        .isLessThanOrEqualTo(Runtime.getRuntime().maxMemory() / 4)
        .isPositive();
    assertThat(config.storeLimitBytes()).isBetween(1L, 20L << 30);
  }

  @Test
  void theControlSocketLiesUnderTheRoot() {
    assertThat(NodeConfig.from(Settings.of(Map.of("root", "/tmp/x"))).controlSocket())
        .isEqualTo(Path.of("/tmp/x/control.sock"));
  }

  @Test
  void pullModesAreSwitchedWithTheExistingToolsKeys() {
    assertThat(
            NodeConfig.from(Settings.of(Map.of("pull_modes.soci_v1.enable", "false")))
                .images()
                .versions())
        .containsExactly(SociIndex.Version.V2);
  }

  @Test
  void everyProblemIsTold() {
    assertThatThrownBy(() ->
            NodeConfig.from(
                Settings.of(
                    Map.of("max-ztoc-size", "0", "fetch.per-registry", "0", "rooot", "/x"))))
        .isInstanceOfSatisfying(
            BadSettingsException.class, e -> assertThat(e.problems()).hasSize(3));
  }
}
