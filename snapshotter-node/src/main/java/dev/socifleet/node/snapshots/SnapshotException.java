package dev.socifleet.node.snapshots;

/** A call that the snapshotter refuses, with the reason in containerd's terms. */
public final class SnapshotException extends Exception {
  /** containerd's error classes (its package errdefs) that a snapshotter answers. */
  public enum Reason {
    NOT_FOUND,
    ALREADY_EXISTS,
    FAILED_PRECONDITION,
    INVALID_ARGUMENT,
    UNAVAILABLE
  }

  private final Reason reason;

  public SnapshotException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
