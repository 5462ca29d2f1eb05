package dev.socifleet.events;

import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Prepares Kafka's topics, in a thread of its own, again and again until it succeeds; then it is
 * done.
 */
public final class BrokerCheck implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(BrokerCheck.class);
  private static final Duration RETRY = Duration.ofSeconds(2);

  private volatile Optional<String> trouble = Optional.of("Kafka wasn't reached yet");
  private final Thread thread;

  private BrokerCheck(KafkaAccess access) {
    Supplier<Optional<String>> prepare = () -> Topics.prepare(access);
    thread = Thread.ofPlatform().daemon().name("prepare-topics").unstarted(() -> run(prepare));
  }

  public static BrokerCheck start(KafkaAccess access) {
    BrokerCheck check = new BrokerCheck(access);
    check.thread.start();
    return check;
  }

  /** Why the topics aren't ready; empty when they are. */
  public Optional<String> whyNotReady() {
    return trouble;
  }

  private void run(Supplier<Optional<String>> prepare) {
    try {
      while (true) {
        trouble = prepare.get();
        if (trouble.isEmpty()) {
          return;
        }
        LOG.warn("{}; trying again", trouble.get());
        Thread.sleep(RETRY);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
