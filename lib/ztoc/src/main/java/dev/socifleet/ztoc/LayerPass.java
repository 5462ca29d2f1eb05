package dev.socifleet.ztoc;

import dev.socifleet.ztoc.inflate.InflateException;
import dev.socifleet.ztoc.tar.TarException;

/** What is done with a layer's bytes, chunk by chunk: spans are cut, the tar in them is walked. */
sealed interface LayerPass permits GzipPass, PlainPass {
  /**
   * Takes {@code buffer[from, end)}: what it left of the chunk before, then new bytes.
   *
   * @param base compressed offset of {@code buffer[0]}
   * @param last whether the layer ends with them
   * @return index of the first byte that must be given again; all before it may be hashed
   */
  int chunk(byte[] buffer, int from, int end, long base, boolean last)
      throws Refusal, InflateException, TarException;
}
