package dev.socifleet.cacheclient;

import java.io.IOException;

/**
 * The cache refused: the registry doesn't let this caller pull, or the blob doesn't hold this span.
 */
public final class CacheDeniedException extends IOException {
  public CacheDeniedException(String message) {
    super(message);
  }
}
