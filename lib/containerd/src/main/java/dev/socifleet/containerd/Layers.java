package dev.socifleet.containerd;

import dev.socifleet.containerd.diff.v1.ApplyRequest;
import dev.socifleet.containerd.diff.v1.DiffGrpc;
import dev.socifleet.containerd.types.Descriptor;
import dev.socifleet.containerd.types.Mount;
import io.grpc.Channel;
import java.util.List;

/** containerd's unpacking of layers. Thread-safe. */
public final class Layers {
  private final DiffGrpc.DiffBlockingV2Stub diff;

  /**
   * @param calls in a namespace
   */
  public Layers(Channel calls) {
    diff = DiffGrpc.newBlockingV2Stub(calls);
  }

  /**
   * Unpacks a layer of the content store onto the mounts of an active snapshot; takes as long as it
   * takes.
   *
   * @return the digest of the layer's tar: its diff id
   */
  public String apply(Descriptor layer, List<Mount> mounts) throws ContainerdException {
    ApplyRequest request = ApplyRequest.newBuilder().setDiff(layer).addAllMounts(mounts).build();
    return Calls.call("unpack layer " + layer.getDigest(), () -> diff.apply(request))
        .getApplied()
        .getDigest();
  }
}
