package dev.socifleet.embedded.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedBrokerIT {
  @TempDir Path directory;

  @Test
  void anInterruptWaitsUntilTheBrokerHasStarted() throws Exception {
    Thread.currentThread().interrupt();
    EmbeddedBroker broker = EmbeddedBroker.start(directory.resolve("kafka"), 0);

    assertThat(Thread.interrupted()).isTrue();
    try (broker) {
      new Socket(InetAddress.getLoopbackAddress(), broker.port()).close();
    }
  }

  @Test
  void aControllerPortThatIsTakenIsToldInsteadOfEndingTheProcess() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Files.writeString(directory.resolve("ports"), "0 " + taken.getLocalPort());

      assertThatThrownBy(() -> EmbeddedBroker.start(directory, 0))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("port " + taken.getLocalPort())
          .hasMessageContaining("is taken");
    }
  }
}
