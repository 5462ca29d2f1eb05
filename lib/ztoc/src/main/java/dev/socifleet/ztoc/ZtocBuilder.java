package dev.socifleet.ztoc;

import dev.socifleet.ztoc.inflate.Event;
import dev.socifleet.ztoc.inflate.GunzipDecoder;
import dev.socifleet.ztoc.inflate.Inflate;
import dev.socifleet.ztoc.inflate.InflateException;
import dev.socifleet.ztoc.tar.TarEntry;
import dev.socifleet.ztoc.tar.TarException;
import dev.socifleet.ztoc.tar.TarWalker;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;

/**
 * Builds the zTOC of a layer in one pass over its bytes.
 *
 * <h2>One pass</h2>
 *
 * The existing tool copies the layer to a file and reads that three times: for checkpoints, for
 * digests, and for the tar's headers. All three need nothing but what one pass has at hand:
 *
 * <pre>
 *  layer -> chunk -> inflate -> 32 KiB window + 256 KiB of output -> tar walk -> files
 *             |         |
 *             |         +-- boundary: a checkpoint? its window is in the output array
 *             +-- hashed on a second thread, cut where checkpoints were found
 * </pre>
 *
 * So the layer can come straight from a registry. Memory is a few chunks, one window a checkpoint
 * and the list of files; the latter two are what the zTOC is made of, and limited by {@link
 * ZtocOptions#maxZtocBytes}.
 *
 * <h2>Checkpoints</h2>
 *
 * A boundary (after a member's header, or after a block that is not its member's last) with T bytes
 * of output before it becomes a checkpoint if T is 0 or T is more than a span size behind the
 * checkpoint before. Where a boundary lies inside a byte, both neighbours have that byte: it is in
 * both digests.
 *
 * <h2>What a chunk carries over</h2>
 *
 * The decoder leaves up to {@link Inflate#MAX_UNREAD} bytes unread, which are copied in front of
 * the next chunk, together with a byte that is consumed in part. Bytes are hashed once they are
 * consumed in full: by then every boundary before them is known.
 *
 * <h2>What is refused</h2>
 *
 * Whatever the existing tool refuses, and layers whose zTOC would be too large. The stream is then
 * read to its end all the same, so that a caller who hashes it can tell bad content from a bad
 * transfer.
 */
public final class ZtocBuilder {
  private static final int OUTPUT = 256 * 1024;

  /** Longer names and comments in a gzip header are refused by Go, whose tar pass must succeed. */
  private static final int MAX_HEADER_TEXT = 512;

  /** Bytes of a span's digest in the zTOC, with its place in the vector. */
  private static final int DIGEST_BYTES = 80;

  /** Ends the build: the content can't have a zTOC. */
  private static final class Refusal extends Exception {
    private static final long serialVersionUID = 1L;

    Refusal(String reason) {
      super(reason, null, false, false);
    }
  }

  private final InputStream layer;
  private final ZtocOptions options;
  private final SpanHasher hasher;
  private final List<TarEntry> files = new ArrayList<>();
  private final TarWalker tar;
  private final Checkpoints checkpoints;

  private long read;
  private long ztocBytes = 4096;
  private int[] cuts = new int[8];
  private int cutCount;

  private ZtocBuilder(InputStream layer, ZtocOptions options, SpanHasher hasher) {
    this.layer = layer;
    this.options = options;
    this.hasher = hasher;
    this.checkpoints = new Checkpoints(options.spanSize());
    this.tar = new TarWalker(this::addFile);
  }

  /**
   * Reads a layer to the end of the stream, and indexes it.
   *
   * <p>An interrupt ends it with an {@link InterruptedIOException}.
   *
   * @throws IOException only if the stream fails
   */
  public static ZtocOutcome build(InputStream layer, Compression compression, ZtocOptions options)
      throws IOException {
    try (SpanHasher hasher = new SpanHasher()) {
      ZtocBuilder builder = new ZtocBuilder(layer, options, hasher);
      try {
        switch (compression) {
          case GZIP -> builder.readGzip();
          case UNCOMPRESSED -> builder.readPlain();
        }
        builder.tar.finish();
        builder.checkSize();
      } catch (Refusal | InflateException | TarException e) {
        builder.drain();
        return new ZtocOutcome.NotIndexable(String.valueOf(e.getMessage()));
      }
      return builder.finish(compression);
    }
  }

  private void addFile(TarEntry file) {
    files.add(file);
    ztocBytes += ZtocWriter.bytesFor(file);
  }

  private void checkSize() throws Refusal {
    if (ztocBytes > options.maxZtocBytes()) {
      throw new Refusal(
          "the zTOC would be larger than "
              + options.maxZtocBytes()
              + " bytes: too many files or spans; at compressed offset "
              + read);
    }
  }

  private void readGzip() throws IOException, Refusal, InflateException, TarException {
    GunzipDecoder gunzip = new GunzipDecoder();
    byte[] out = new byte[Inflate.WINDOW + OUTPUT + Inflate.OUTPUT_SLACK];
    gunzip.start();
    gunzip.output(out, Inflate.WINDOW, Inflate.WINDOW);
    byte[] buffer = hasher.takeBuffer();
    int from = SpanHasher.CARRY;
    // Uncompressed offset of out[0], and where in it the tar walk stands.
    long outBase = -Inflate.WINDOW;
    int walked = Inflate.WINDOW;
    int partial = 0;
    for (boolean ended = false; !ended; ) {
      int end = SpanHasher.CARRY + fill(buffer);
      boolean noMore = end < buffer.length;
      long bufferBase = read - end;
      gunzip.input(buffer, from + partial, end, noMore);
      Event event = gunzip.run(Inflate.WINDOW + OUTPUT);
      for (;
          event != Event.INPUT && event != Event.END;
          event = gunzip.run(Inflate.WINDOW + OUTPUT)) {
        if (event == Event.BOUNDARY) {
          if (gunzip.longestHeaderText() > MAX_HEADER_TEXT) {
            tar.accept(out, walked, gunzip.outPosition());
            walked = gunzip.outPosition();
            refuseLongHeader();
          }
          long total = outBase + gunzip.outPosition();
          if (checkpoints.wanted(total)) {
            checkpoints.add(gunzip.position(), gunzip.bits(), total, out, gunzip.outPosition());
            cut((int) (gunzip.position() - bufferBase), gunzip.bits() != 0);
            ztocBytes += Checkpoints.SIZE;
            checkSize();
          }
        } else {
          tar.accept(out, walked, gunzip.outPosition());
          outBase += gunzip.slide();
          walked = gunzip.outPosition();
          checkSize();
        }
      }
      ended = event == Event.END;
      partial = gunzip.bits() != 0 ? 1 : 0;
      int consumed = end - gunzip.unread() - partial;
      byte[] next = ended ? buffer : hasher.takeBuffer();
      int carried = end - consumed;
      System.arraycopy(buffer, consumed, next, SpanHasher.CARRY - carried, carried);
      hash(buffer, from, consumed);
      buffer = next;
      from = SpanHasher.CARRY - carried;
    }
    tar.accept(out, walked, gunzip.outPosition());
  }

  private void refuseLongHeader() throws Refusal {
    if (!tar.ended()) {
      throw new Refusal(
          "gzip: invalid header: name or comment longer than "
              + (MAX_HEADER_TEXT - 1)
              + " bytes before compressed offset "
              + read);
    }
  }

  private void readPlain() throws IOException, Refusal, TarException {
    long nextSpan = 0;
    for (boolean ended = false; !ended; ) {
      byte[] buffer = hasher.takeBuffer();
      int from = SpanHasher.CARRY;
      long base = read - from;
      int end = from + fill(buffer);
      ended = end < buffer.length;
      while (nextSpan < base + end) {
        cut((int) (nextSpan - base), false);
        checkSize();
        nextSpan += Math.min(options.spanSize(), Long.MAX_VALUE - nextSpan);
      }
      tar.accept(buffer, from, end);
      checkSize();
      hash(buffer, from, end);
    }
  }

  /** Reads a chunk; less than a whole one only at the end of the stream. */
  private int fill(byte[] buffer) throws IOException {
    if (Thread.interrupted()) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while a layer was read");
    }
    int n = layer.readNBytes(buffer, SpanHasher.CARRY, SpanHasher.CHUNK);
    read += n;
    options.progress().accept(read);
    return n;
  }

  private void drain() throws IOException {
    byte[] buffer = new byte[SpanHasher.CARRY + SpanHasher.CHUNK];
    while (fill(buffer) == SpanHasher.CHUNK) {
      // The content is of no interest any more.
    }
  }

  private void cut(int index, boolean shared) {
    if (cutCount == cuts.length) {
      cuts = Arrays.copyOf(cuts, 2 * cutCount);
    }
    cuts[cutCount++] = SpanHasher.cut(index, shared);
    ztocBytes += DIGEST_BYTES;
  }

  private void hash(byte[] buffer, int from, int to) {
    hasher.hash(buffer, from, to, Arrays.copyOf(cuts, cutCount));
    cutCount = 0;
  }

  private ZtocOutcome finish(Compression compression) throws IOException {
    List<byte[]> digests = hasher.finish();
    ZtocWriter writer = new ZtocWriter(options.buildTool(), Math.toIntExact(ztocBytes));
    int[] tables = new int[files.size()];
    for (int i = tables.length - 1; i >= 0; i--) {
      tables[i] = writer.file(files.get(i));
    }
    int toc = writer.toc(tables);
    int infoBytes;
    Consumer<ByteBuffer> info;
    if (compression == Compression.GZIP) {
      infoBytes = checkpoints.bytes();
      info = checkpoints::write;
    } else {
      byte[] tarInfo = ZtocWriter.tarInfo(options.spanSize(), read);
      infoBytes = tarInfo.length;
      info = buffer -> buffer.put(tarInfo);
    }
    byte[] bytes =
        writer.finish(
            toc, infoBytes, info, digests, digests.size() - 1, compression, read, tar.position());
    String digest = "sha256:" + HexFormat.of().formatHex(SpanHasher.sha256().digest(bytes));
    return new ZtocOutcome.Built(bytes, digest, read, tar.position(), digests.size(), files.size());
  }
}
