package dev.socifleet.service;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a service needs to do its work, each with why it cannot now. A service that hasn't {@link
 * #started} isn't ready: its admin port answers before the others are open. Thread-safe.
 */
public final class Readiness {
  private static final Logger log = LoggerFactory.getLogger(Readiness.class);

  private final Map<String, Supplier<Optional<String>>> checks = new ConcurrentHashMap<>();
  private volatile boolean started;

  /** All parts are there, and the ports are open. */
  public void started() {
    started = true;
  }

  /**
   * Adds, or replaces, a need.
   *
   * @param whyNotReady empty when it is met; answers at once, from what is known
   */
  public void add(String name, Supplier<Optional<String>> whyNotReady) {
    checks.put(name, whyNotReady);
  }

  /** Every need that isn't met, with the reason; empty when the service is ready. */
  public Map<String, String> unmet() {
    Map<String, String> unmet = new TreeMap<>();
    if (!started) {
      unmet.put("start", "not all parts are there yet");
    }
    checks.forEach((name, check) -> {
      try {
        check.get().ifPresent(why -> unmet.put(name, why));
      } catch (RuntimeException e) {
        log.warn("readiness of {} cannot be told", name, e);
        unmet.put(name, "cannot be told: " + e);
      }
    });
    return unmet;
  }
}
