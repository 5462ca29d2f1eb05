package dev.socifleet.fetchcache.store;

import dev.socifleet.oci.ByteRange;
import dev.socifleet.oci.Digest;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;

/** The spans of a layer by their ranges, as {@link ZtocRecord} draws them; immutable. */
public final class SpanTable {
  private static final int SPAN = 48;

  private final byte[] packed;

  /**
   * @param packed 48 bytes a span, by start
   */
  SpanTable(byte[] packed) {
    this.packed = packed;
  }

  /** Collects spans in the order of their starts. */
  public static final class Builder {
    private final ByteBuffer spans;

    public Builder(int count) {
      spans = ByteBuffer.allocate(count * SPAN);
    }

    public Builder add(ByteRange range, byte[] sha256) {
      spans.putLong(range.start()).putLong(range.end()).put(sha256);
      return this;
    }

    public SpanTable build() {
      return new SpanTable(Arrays.copyOf(spans.array(), spans.position()));
    }
  }

  int count() {
    return packed.length / SPAN;
  }

  byte[] packed() {
    return packed;
  }

  /** The digest of exactly this range; empty when no span has it. */
  public Optional<Digest> digest(ByteRange range) {
    ByteBuffer spans = ByteBuffer.wrap(packed);
    int low = 0;
    int high = count() - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      long start = spans.getLong(middle * SPAN);
      if (start < range.start()) {
        low = middle + 1;
      } else if (start > range.start()) {
        high = middle - 1;
      } else if (spans.getLong(middle * SPAN + 8) != range.end()) {
        return Optional.empty();
      } else {
        int hash = middle * SPAN + 16;
        return Optional.of(Digest.ofHash(Arrays.copyOfRange(packed, hash, hash + 32)));
      }
    }
    return Optional.empty();
  }
}
