package dev.socifleet.cli.rpull;

import java.time.Duration;

/**
 * What became of a layer.
 *
 * @param there whether it was there before this pull
 * @param downloaded how many of its bytes this pull took from the registry
 */
record LayerResult(ImageLayer layer, State state, boolean there, long downloaded, Duration took) {
  /** How a layer's files are read. */
  enum State {
    /** From the registry or a cache, when they are needed. */
    LAZY,
    /** From this machine's disk, where containerd unpacked them. */
    UNPACKED
  }
}
