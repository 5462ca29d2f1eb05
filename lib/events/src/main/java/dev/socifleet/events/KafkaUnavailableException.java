package dev.socifleet.events;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Kafka didn't acknowledge in time. Temporary; the record may be there all the same. */
public final class KafkaUnavailableException extends IOException {
  public KafkaUnavailableException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
