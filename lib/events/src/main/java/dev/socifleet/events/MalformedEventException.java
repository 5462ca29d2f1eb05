package dev.socifleet.events;

/** Bytes on a topic that aren't a record of this pipeline: what is wrong with them. Permanent. */
public final class MalformedEventException extends Exception {
  public MalformedEventException(String message) {
    super(message);
  }
}
