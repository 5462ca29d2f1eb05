package dev.socifleet.cli.rpull;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A layer of the image that is pulled.
 *
 * @param number counted from the base, which is 0
 * @param blob its compressed tar in the registry
 * @param diffId the digest of its tar
 * @param parent the chain id of the layer below, empty for the base
 */
record ImageLayer(int number, Descriptor blob, Digest diffId, String parent, String chainId) {
  /** The layers of a manifest with the diff ids of its config, as many of one as of the other. */
  static List<ImageLayer> chain(List<Descriptor> blobs, List<Digest> diffIds) {
    List<ImageLayer> layers = new ArrayList<>();
    String parent = "";
    for (int i = 0; i < blobs.size(); i++) {
      String own = diffIds.get(i).toString();
      String chainId =
          parent.isEmpty()
              ? own
              : Digest.of((parent + " " + own).getBytes(StandardCharsets.UTF_8)).toString();
      layers.add(new ImageLayer(i, blobs.get(i), diffIds.get(i), parent, chainId));
      parent = chainId;
    }
    return List.copyOf(layers);
  }

  /** Whether a manifest's entry is a layer of the file system, as containerd sees it. */
  static boolean isLayer(String mediaType) {
    return mediaType.startsWith("application/vnd.oci.image.layer.")
        || mediaType.startsWith("application/vnd.docker.image.rootfs.");
  }
}
