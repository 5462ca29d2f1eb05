package dev.socifleet.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.socifleet.cli.ContainerdOptions.Containerd;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.TypeConversionException;

class ContainerdOptionsTest {
  private static ContainerdOptions options(String... arguments) {
    return CommandLine.populateCommand(new ContainerdOptions(), arguments);
  }

  @Test
  void whatStandsNearestToTheCommandCounts() {
    Map<String, String> environment =
        Map.of("CONTAINERD_ADDRESS", "/env.sock", "CONTAINERD_NAMESPACE", "env");

    assertThat(options().resolve(options(), Map.of()))
        .isEqualTo(
            new Containerd(Path.of("/run/containerd/containerd.sock"), "default", Duration.ZERO));
    assertThat(options().resolve(options(), environment))
        .isEqualTo(new Containerd(Path.of("/env.sock"), "env", Duration.ZERO));
    assertThat(options("-n", "own").resolve(options("-n", "global", "-a", "/g.sock"), environment))
        .isEqualTo(new Containerd(Path.of("/g.sock"), "own", Duration.ZERO));
  }

  @Test
  void anAddressMayBeAUrl() {
    assertThat(options("-a", "unix:///run/c.sock").resolve(options(), Map.of()).socket())
        .isEqualTo(Path.of("/run/c.sock"));
  }

  @Test
  void timesAreWrittenAsTheExistingToolTakesThem() throws Exception {
    GoDuration durations = new GoDuration();

    assertThat(durations.convert("0")).isZero();
    assertThat(durations.convert("1h2m3s4ms"))
        .isEqualTo(Duration.ofHours(1).plusMinutes(2).plusSeconds(3).plusMillis(4));
    for (String wrong : new String[] {"", "10", "s", "1d", "1m 2s", "-1s"}) {
      assertThatThrownBy(() -> durations.convert(wrong))
          .as(wrong)
          .isInstanceOf(TypeConversionException.class)
          .hasMessageContaining("90s");
    }
  }
}
