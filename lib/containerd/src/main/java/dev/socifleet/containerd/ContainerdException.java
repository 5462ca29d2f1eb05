package dev.socifleet.containerd;

import io.grpc.Status;
import java.io.IOException;

/**
 * A call that containerd, or a daemon that speaks its API, refused or didn't answer: <i>cannot
 * &lt;action&gt;: &lt;what it said&gt;</i>. The code says which kind of failure it is.
 */
public final class ContainerdException extends IOException {
  private final Status.Code code;

  ContainerdException(String action, Status status) {
    this(action, status.getCode(), said(status), status.getCause());
  }

  ContainerdException(
      String action,
      Status.Code code,
      String reason,
      @org.jspecify.annotations.Nullable Throwable cause) {
    super("cannot " + action + ": " + reason, cause);
    this.code = code;
  }

  /** gRPC's code, into which containerd translates its own error classes. */
  public Status.Code code() {
    return code;
  }

  private static String said(Status status) {
    String description = status.getDescription();
    return switch (status.getCode()) {
      case DEADLINE_EXCEEDED -> "containerd didn't answer in time";
      case CANCELLED -> "interrupted";
      default -> description == null ? status.getCode().toString() : description;
    };
  }
}
