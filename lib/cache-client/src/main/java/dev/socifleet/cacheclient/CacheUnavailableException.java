package dev.socifleet.cacheclient;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The cache can't help now: down, slow, full, or it answered nonsense. The registry is asked
 * instead.
 */
public final class CacheUnavailableException extends IOException {
  public CacheUnavailableException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
