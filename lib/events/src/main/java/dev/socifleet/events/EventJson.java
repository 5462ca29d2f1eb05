package dev.socifleet.events;

/** The JSON form of the records. */
public final class EventJson {
  private EventJson() {}
}
