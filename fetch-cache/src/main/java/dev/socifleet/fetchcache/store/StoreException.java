package dev.socifleet.fetchcache.store;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The store can't do this now; the cache works on without it. */
public final class StoreException extends IOException {
  public StoreException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
