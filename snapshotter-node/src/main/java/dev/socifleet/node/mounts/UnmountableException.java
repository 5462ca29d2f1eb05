package dev.socifleet.node.mounts;

/** An image that can't be mounted, and why; trying again would not help. */
public final class UnmountableException extends Exception {
  /** Whose fault it is; the control API's statuses. */
  public enum Kind {
    /** The request makes no sense. */
    BAD_REQUEST,
    /** The registry isn't allowed, or doesn't let us pull. */
    REFUSED,
    /** There is no such image, or none for the platform. */
    NOT_FOUND,
    /** The image is nothing that this node can mount. */
    UNSUITABLE
  }

  private final Kind kind;

  UnmountableException(String message) {
    this(Kind.UNSUITABLE, message);
  }

  UnmountableException(Kind kind, String message) {
    super(message);
    this.kind = kind;
  }

  public Kind kind() {
    return kind;
  }
}
