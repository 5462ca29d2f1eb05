package dev.socifleet.cli.up;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.socifleet.cli.CommandFailure;
import java.net.InetAddress;
import java.net.ServerSocket;
import org.junit.jupiter.api.Test;

class PortsTest {
  @Test
  void aPortThatIsTakenIsNamedWithTheOptionThatMovesIt() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      int port = taken.getLocalPort();
      assertThatThrownBy(() -> new Ports(0, 0, 0, port, 0).needFree(true, true))
          .isInstanceOf(CommandFailure.class)
          .hasMessageContaining("port " + port)
          .hasMessageContaining("Kafka")
          .hasMessageContaining("--kafka-port");
      assertThatThrownBy(() -> new Ports(0, 0, 0, 0, port - Ports.CACHE).needFree(true, true))
          .hasMessageContaining("fetch-cache")
          .hasMessageContaining("--admin-port");
    }
  }

  @Test
  void portsOfWhatDoesNotRunMayBeTaken() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      int port = taken.getLocalPort();
      assertThatCode(() -> new Ports(0, 0, port, 0, 0).needFree(false, true))
          .as("the registry in process, where another is given")
          .doesNotThrowAnyException();
    }
  }

  @Test
  void zeroChoosesAFreePortEverywhere() {
    Ports any = new Ports(0, 0, 0, 0, 0);
    any.needFree(true, true);
    assertThat(any.admin(Ports.NODE)).isZero();
  }
}
