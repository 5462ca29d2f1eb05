package dev.socifleet.oci;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A request to a registry that failed: <i>cannot &lt;action&gt;: &lt;status&gt; &lt;codes&gt;:
 * &lt;message&gt;</i>. Says of itself whether it may pass ({@link #temporary()}): callers never
 * look at messages.
 */
public final class RegistryException extends IOException {
  private final int status;
  private final List<String> codes;
  private final boolean temporary;
  private final transient @Nullable Duration retryAfter;

  /**
   * @param status the HTTP status, 0 where no answer came
   * @param codes the registry's error codes, e.g. {@code MANIFEST_BLOB_UNKNOWN} (distribution
   *     specification, "Error Codes")
   */
  public RegistryException(
      String message,
      int status,
      List<String> codes,
      boolean temporary,
      @Nullable Duration retryAfter,
      @Nullable Throwable cause) {
    super(message, cause);
    this.status = status;
    this.codes = List.copyOf(codes);
    this.temporary = temporary;
    this.retryAfter = retryAfter;
  }

  public int status() {
    return status;
  }

  public List<String> codes() {
    return codes;
  }

  /** Whether the same request may succeed later: no answer, 408, 425, 429, 5xx. */
  public boolean temporary() {
    return temporary;
  }

  /** 401 or 403: the credential doesn't suffice. */
  public boolean denied() {
    return status == 401 || status == 403;
  }

  public Optional<Duration> retryAfter() {
    return Optional.ofNullable(retryAfter);
  }
}
