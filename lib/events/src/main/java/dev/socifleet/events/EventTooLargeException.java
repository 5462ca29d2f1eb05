package dev.socifleet.events;

/** An event that no broker takes, however often it is sent: it has more bytes than a record may. */
public final class EventTooLargeException extends IllegalArgumentException {
  EventTooLargeException(String message) {
    super(message);
  }
}
