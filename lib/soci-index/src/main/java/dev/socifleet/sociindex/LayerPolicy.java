package dev.socifleet.sociindex;

import dev.socifleet.oci.Descriptor;

/** Which layers get a zTOC, by media type and size, as the existing tool decides. */
public record LayerPolicy(long minLayerSizeBytes) {
  /** What is done with a layer. */
  public sealed interface Decision {
    record Gzip() implements Decision {}

    record Tar() implements Decision {}

    /** No zTOC, and why. */
    record LeftOut(String reason) implements Decision {}
  }

  private static final String DOCKER = "application/vnd.docker.image.rootfs.";
  private static final String OCI = "application/vnd.oci.image.layer.";

  public Decision decide(Descriptor layer) {
    Decision byType = byType(layer.mediaType());
    if (!(byType instanceof Decision.LeftOut) && layer.size() < minLayerSizeBytes) {
      return new Decision.LeftOut(
          "its "
              + layer.size()
              + " bytes are less than the smallest layer to index, "
              + minLayerSizeBytes);
    }
    return byType;
  }

  private static Decision byType(String mediaType) {
    return switch (mediaType) {
      case DOCKER + "diff.tar.gzip",
          DOCKER + "foreign.diff.tar.gzip",
          OCI + "v1.tar+gzip",
          OCI + "nondistributable.v1.tar+gzip",
          // Tried by the existing tool too. What is really encrypted isn't gzip from its first
          // byte.
          OCI + "v1.tar+gzip+encrypted" ->
          new Decision.Gzip();
      case OCI + "v1.tar", DOCKER + "diff.tar" -> new Decision.Tar();
      default -> {
        if (mediaType.endsWith("+encrypted")) {
          yield new Decision.LeftOut("it is encrypted");
        }
        if (mediaType.endsWith("zstd")) {
          yield new Decision.LeftOut("it is compressed with zstd, of which no zTOC can be made");
        }
        yield new Decision.LeftOut(
            "its media type '" + mediaType + "' isn't one of tar or gzip layers");
      }
    };
  }
}
