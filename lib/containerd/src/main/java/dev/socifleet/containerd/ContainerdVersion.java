package dev.socifleet.containerd;

import com.google.protobuf.Empty;
import dev.socifleet.containerd.version.v1.VersionGrpc;

/** Asks containerd which version it is. */
public final class ContainerdVersion {
  private ContainerdVersion() {}

  /** Its version, as text. */
  public static String of(ContainerdChannel containerd) throws ContainerdException {
    return Calls.call(
            "ask containerd for its version",
            () ->
                VersionGrpc.newBlockingV2Stub(containerd.plain())
                    .withDeadlineAfter(Calls.SOON)
                    .version(Empty.getDefaultInstance()))
        .getVersion();
  }
}
