package dev.socifleet.cli.up;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.testing.FreePort;
import java.io.IOException;
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
    }
  }

  /** The admin ports of services stand side by side: those before it have to be free. */
  @Test
  void anAdminPortThatIsTakenIsNamedWithItsService() throws Exception {
    int first = firstOfFree(Ports.NODE + 1);
    try (ServerSocket taken =
        new ServerSocket(first + Ports.CACHE, 1, InetAddress.getLoopbackAddress())) {
      assertThatThrownBy(() -> new Ports(0, 0, 0, 0, first).needFree(true, true))
          .hasMessageContaining("port " + taken.getLocalPort())
          .hasMessageContaining("fetch-cache")
          .hasMessageContaining("--admin-port");
    }
  }

  private static int firstOfFree(int count) throws IOException {
    int first = FreePort.choose();
    for (int free = 1; free < count; free++) {
      int next = FreePort.choose();
      if (next != first + free) {
        first = next;
        free = 0;
      }
    }
    return first;
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
