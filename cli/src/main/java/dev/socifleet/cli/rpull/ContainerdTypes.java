package dev.socifleet.cli.rpull;

import dev.socifleet.oci.Descriptor;

/** What we know in containerd's words. */
final class ContainerdTypes {
  private ContainerdTypes() {}

  static dev.socifleet.containerd.types.Descriptor descriptor(Descriptor descriptor) {
    return dev.socifleet.containerd.types.Descriptor.newBuilder()
        .setMediaType(descriptor.mediaType())
        .setDigest(descriptor.digest().toString())
        .setSize(descriptor.size())
        .build();
  }
}
