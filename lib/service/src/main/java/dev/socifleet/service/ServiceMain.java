package dev.socifleet.service;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A service's process, from its arguments to its exit: status 2 for settings that cannot be used, 1
 * for a start that failed, 143 after SIGTERM, which closes the service within {@code
 * shutdown.deadline} (default 25 s, below the 30 s that Kubernetes and systemd users expect).
 */
public final class ServiceMain {
  private static final Logger log = LoggerFactory.getLogger(ServiceMain.class);
  private static final Duration DEADLINE = Duration.ofSeconds(25);

  /** Starts a service: reads its settings, calls {@link Settings#finish()}, opens its ports. */
  @FunctionalInterface
  public interface Starter {
    AutoCloseable start(Settings settings) throws Exception;
  }

  private ServiceMain() {}

  /** Runs the service until the process is told to end. Doesn't return. */
  public static void run(String service, String[] args, Starter starter) {
    Thread.setDefaultUncaughtExceptionHandler(
        (thread, e) -> log.error("thread {} ended by an error", thread.getName(), e));
    AutoCloseable running;
    Duration deadline;
    try {
      Settings settings = Settings.load(service, args);
      Logging.configure(settings);
      deadline = settings.duration("shutdown.deadline", DEADLINE);
      running = starter.start(settings);
    } catch (BadSettingsException e) {
      for (String problem : e.problems()) {
        log.error("{}: {}", service, problem);
      }
      System.exit(2);
      return;
    } catch (IOException e) {
      // Such a failure says what to do; where it came from is seldom of use to whoever reads it.
      log.error("{} cannot start: {}", service, e.getMessage());
      log.debug("where it failed", e);
      System.exit(1);
      return;
    } catch (Exception e) {
      log.error("{} cannot start: {}", service, e.getMessage(), e);
      System.exit(1);
      return;
    }
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> close(service, running, deadline), "shutdown"));
    log.info("{} is up", service);
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void close(String service, AutoCloseable running, Duration deadline) {
    log.info("{} is closing", service);
    Thread closing =
        Thread.ofPlatform()
            .name("close-" + service)
            .daemon()
            .start(() -> {
              try {
                running.close();
              } catch (Exception e) {
                log.error("{} did not close in order", service, e);
              }
            });
    try {
      if (closing.join(deadline)) {
        log.info("{} is closed", service);
      } else {
        log.warn("{} was not closed within {} and is ended", service, deadline);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
