package dev.socifleet.ztoc;

/**
 * How a layer's tar is compressed, as far as a zTOC can describe it (flatbuffers enum
 * CompressionAlgorithm).
 */
public enum Compression {
  GZIP(1),
  UNCOMPRESSED(2);

  private final int code;

  Compression(int code) {
    this.code = code;
  }

  /** The value in the flatbuffer. */
  public int code() {
    return code;
  }
}
