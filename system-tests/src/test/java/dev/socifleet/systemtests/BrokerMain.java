package dev.socifleet.systemtests;

import dev.socifleet.embedded.broker.EmbeddedBroker;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/** The embedded broker in a process that can be killed. */
final class BrokerMain {
  private BrokerMain() {}

  /** Takes the directory and the port. */
  public static void main(String[] arguments) throws Exception {
    try (var _ = EmbeddedBroker.start(Path.of(arguments[0]), Integer.parseInt(arguments[1]))) {
      new CountDownLatch(1).await();
    }
  }
}
