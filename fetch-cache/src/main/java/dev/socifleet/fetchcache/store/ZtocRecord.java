package dev.socifleet.fetchcache.store;

import dev.socifleet.oci.Digest;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A zTOC that the store has: where its bytes are, and which spans of the layer it proves.
 *
 * <pre>
 *  0         1        9        41      45
 *  +---------+--------+--------+-------+ +--------+  +--------+ +---------+-------+--------+
 *  | version | size   | sha256 | p     | | piece  |  | n      | | start   | end   | sha256 |
 *  | 1       | 8      | 32     | 4     | | 32     |  | 4      | | 8       | 8     | 32     |
 *  +---------+--------+--------+-------+ +--------+  +--------+ +---------+-------+--------+
 *                                        p times                n times, by start
 *  version  1
 *  piece    sha256 of the value that holds the next bytes of the zTOC
 *  start    first compressed byte of a span; end is behind its last one
 * </pre>
 *
 * <p>Big endian.
 *
 * @param size of the zTOC in bytes
 */
public record ZtocRecord(Digest digest, long size, List<Digest> pieces, SpanTable spans) {
  private static final byte VERSION = 1;
  private static final int SPAN = 48;
  private static final int HASH = 32;

  public ZtocRecord {
    pieces = List.copyOf(pieces);
  }

  /** The key of one layer's zTOCs, whatever their span size and builder. */
  static byte[] prefix(Digest layer) {
    byte[] hash = layer.hash();
    return ByteBuffer.allocate(1 + hash.length).put((byte) hash.length).put(hash).array();
  }

  /**
   * <pre>
   *  0        1        1 + length  9 + length
   *  +--------+--------+-----------+-------------------+
   *  | length | layer  | span size | sha256 of builder |
   *  | 1      | length | 8         | 32                |
   *  +--------+--------+-----------+-------------------+
   * </pre>
   */
  static byte[] key(Digest layer, long spanSizeBytes, String builder) {
    byte[] prefix = prefix(layer);
    return ByteBuffer.allocate(prefix.length + 8 + HASH)
        .put(prefix)
        .putLong(spanSizeBytes)
        .put(Digest.newSha256().digest(builder.getBytes(StandardCharsets.UTF_8)))
        .array();
  }

  byte[] encode() {
    ByteBuffer to =
        ByteBuffer.allocate(1 + 8 + HASH + 4 + pieces.size() * HASH + 4 + spans.count() * SPAN);
    to.put(VERSION).putLong(size).put(digest.hash()).putInt(pieces.size());
    pieces.forEach(piece -> to.put(piece.hash()));
    to.putInt(spans.count()).put(spans.packed());
    return to.array();
  }

  /** Null for what this version didn't write. */
  static @Nullable ZtocRecord decode(byte[] from) {
    try {
      ByteBuffer in = ByteBuffer.wrap(from);
      if (in.get() != VERSION) {
        return null;
      }
      long size = in.getLong();
      Digest digest = hash(in);
      int count = in.getInt();
      if (count < 1 || count > in.remaining() / HASH) {
        return null;
      }
      List<Digest> pieces = new ArrayList<>(count);
      for (int i = 0; i < count; i++) {
        pieces.add(hash(in));
      }
      int spans = in.getInt();
      if (spans < 0 || spans != in.remaining() / SPAN) {
        return null;
      }
      byte[] packed = new byte[spans * SPAN];
      in.get(packed);
      return new ZtocRecord(digest, size, pieces, new SpanTable(packed));
    } catch (BufferUnderflowException e) {
      return null;
    }
  }

  private static Digest hash(ByteBuffer in) {
    byte[] hash = new byte[HASH];
    in.get(hash);
    return Digest.ofHash(hash);
  }
}
