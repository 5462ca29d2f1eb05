package dev.socifleet.cli.rpull;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.remote.RegistryAdvice;
import dev.socifleet.containerd.ContainerdException;
import dev.socifleet.oci.RegistryException;
import io.grpc.Status;
import java.io.IOException;

/** Failures of a pull in one line each that says what to do. */
final class PullFailures {
  private static final String NODE_SOCKET = "/run/soci-snapshotter-grpc/soci-snapshotter-grpc.sock";

  private PullFailures() {}

  static CommandFailure unknownSnapshotter(String name) {
    return new CommandFailure(
        "containerd has no snapshotter "
            + name
            + ": in /etc/containerd/config.toml add [proxy_plugins."
            + name
            + "] with type = \"snapshot\" and address = \""
            + NODE_SOCKET
            + "\" and restart containerd, or name another one with --snapshotter");
  }

  static CommandFailure explain(IOException failure, PullRequest request) {
    String cannot = "cannot pull " + request.name() + ": ";
    return switch (failure) {
      case RegistryException registry -> new CommandFailure(cannot + explain(registry, request));
      case ContainerdException containerd
          when containerd.code() == Status.Code.UNAVAILABLE && snapshotterIsGone(containerd) ->
          new CommandFailure(
              cannot
                  + "snapshotter "
                  + request.snapshotter()
                  + " doesn't answer: start it, and check its address in containerd's configuration ("
                  + containerd.getMessage()
                  + ")");
      case ContainerdException containerd
          when containerd.code() == Status.Code.UNAVAILABLE && containerdIsGone(containerd) ->
          new CommandFailure(
              cannot
                  + "containerd is gone: start it, then pull again ("
                  + containerd.getMessage()
                  + ")");
      default -> new CommandFailure(cannot + failure.getMessage());
    };
  }

  // The code alone doesn't tell who is gone, nor from an answer of a snapshotter that lacks a
  // layer; so these are the words of the gRPC libraries: ours, and containerd's.

  private static boolean containerdIsGone(ContainerdException failure) {
    return failure.getCause() != null || said(failure).contains("Network closed");
  }

  private static boolean snapshotterIsGone(ContainerdException failure) {
    return failure.getCause() == null
        && (said(failure).contains("transport:")
            || said(failure).contains("error reading from server"));
  }

  private static String said(ContainerdException failure) {
    return String.valueOf(failure.getMessage());
  }

  private static String explain(RegistryException failure, PullRequest request) {
    String host = request.image().repository().registry();
    if (failure.denied()) {
      return "the registry denies access ("
          + failure.status()
          + "): check the name, log in (docker login "
          + host
          + ") or give --user NAME:PASSWORD";
    }
    return failure.getMessage() + RegistryAdvice.on(failure);
  }
}
