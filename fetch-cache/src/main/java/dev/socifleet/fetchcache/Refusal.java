package dev.socifleet.fetchcache;

import dev.socifleet.oci.RegistryException;
import java.time.Duration;
import java.util.Optional;

/**
 * Why a caller doesn't get what he asks for, as he is told. Has no stack trace: it is an answer.
 */
final class Refusal extends Exception {
  private static final Duration SOON = Duration.ofSeconds(1);

  private final int status;
  private final String code;
  private final Optional<Duration> retryAfter;

  private Refusal(int status, String code, String message, Optional<Duration> retryAfter) {
    super(message, null, false, false);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }

  static Refusal of(int status, String code, String message) {
    return new Refusal(status, code, message, Optional.empty());
  }

  static Refusal malformed(String message) {
    return of(400, "malformed", message);
  }

  static Refusal denied(String code, String message) {
    return of(403, code, message);
  }

  /** Too much of something at once. */
  static Refusal overloaded(String message) {
    return new Refusal(503, "overloaded", message, Optional.of(SOON));
  }

  static Refusal notCached() {
    return of(504, "not-cached", "it isn't cached, and only cached spans were asked for");
  }

  /** What a registry's failure is for those who wait for it. */
  static Refusal registry(RegistryException e) {
    String message = String.valueOf(e.getMessage());
    if (e.denied()) {
      return denied("registry-denied", message);
    }
    if (e.status() == 404) {
      return denied("blob-unknown", message);
    }
    String code = e.status() == 429 ? "registry-throttles" : "registry-failed";
    return new Refusal(502, code, message, e.retryAfter());
  }

  static Refusal registry(String message) {
    return of(502, "registry-failed", message);
  }

  /** Whether the registry is asked too much, which many count by credential. */
  boolean isThrottling() {
    return code.equals("registry-throttles");
  }

  /** Whether it is about this caller, so that another one may fare better. */
  boolean isPersonal() {
    return status == 403 && !code.equals("span-mismatch");
  }

  int status() {
    return status;
  }

  String code() {
    return code;
  }

  String text() {
    return String.valueOf(getMessage());
  }

  Optional<Duration> retryAfter() {
    return retryAfter;
  }
}
