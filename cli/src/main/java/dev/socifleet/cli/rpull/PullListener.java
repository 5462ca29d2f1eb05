package dev.socifleet.cli.rpull;

/** Is told how a pull goes. {@link #received} comes from several threads, the rest from one. */
interface PullListener {
  /** The image of a platform is found; its layers come next, base first. */
  void found(FoundImage image);

  /** The snapshotter is asked for a layer, which is downloaded then if it was left. */
  void working(ImageLayer layer);

  /** containerd unpacks a layer that was left. */
  void unpacking(ImageLayer layer);

  /** Bytes of layers came from the registry. */
  void received(int bytes);

  void settled(LayerResult result);
}
