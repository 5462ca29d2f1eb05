package dev.socifleet.node.mounts;

import java.util.List;

/**
 * An image whose layers are held for a mount; as JSON what the control API answers and what the
 * node keeps.
 *
 * @param id names the mount until it is released
 * @param image the reference that was asked for
 * @param manifest digest of the image's manifest
 * @param lower overlayfs's lower directories, nearest first, at least two
 * @param root what an upper directory's root has to be
 * @param layers base first
 */
public record MountedImage(
    String id,
    String image,
    String manifest,
    List<String> lower,
    Root root,
    List<MountedLayer> layers) {
  public MountedImage {
    lower = List.copyOf(lower);
    layers = List.copyOf(layers);
  }

  /**
   * Owner and permissions.
   *
   * @param mode permission bits, 07777
   */
  public record Root(int mode, int uid, int gid) {}

  /**
   * One layer.
   *
   * @param ztoc digest of the zTOC by which it is read; empty for an unpacked layer
   * @param size compressed, in bytes
   * @param lazy false when it was downloaded and unpacked
   * @param reason a code of {@link dev.socifleet.node.images.Reason}
   * @param detail the reason in words
   */
  public record MountedLayer(
      String digest,
      String ztoc,
      long size,
      boolean lazy,
      String reason,
      String detail,
      String directory) {}
}
