package dev.socifleet.ztoc;

import dev.socifleet.ztoc.inflate.InflateException;
import dev.socifleet.ztoc.tar.TarException;
import dev.socifleet.ztoc.tar.TarWalker;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Builds the zTOC of a layer in one pass over its bytes. Used by one thread.
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
 *             +-- hashed on another thread, cut where checkpoints were found
 * </pre>
 *
 * So the layer can come straight from a registry: {@link #build} reads a stream, ahead, on a thread
 * of its own.
 *
 * <h2>Memory</h2>
 *
 * 1.5 MiB of chunks, 0.3 MiB of output, 32 KiB for each checkpoint, and for each file 90 bytes and
 * its names. The latter two are what the zTOC is made of, and limited by {@link
 * ZtocOptions#maxZtocBytes}; at the end the zTOC is there twice. However large the layer is, it is
 * never held.
 *
 * <h2>Checkpoints</h2>
 *
 * A boundary (after a member's header, or after a block that is not its member's last) with T bytes
 * of output before it becomes a checkpoint if T is 0 or T is more than a span size behind the
 * checkpoint before. Where a boundary lies inside a byte, both neighbours have that byte: it is in
 * both digests.
 *
 * <h2>What is refused</h2>
 *
 * Whatever the existing tool refuses, and layers whose zTOC would be too large. The stream is then
 * read to its end all the same, so that a caller who hashes it can tell bad content from a bad
 * transfer.
 */
public final class ZtocBuilder implements AutoCloseable {
  private final Compression compression;
  private final ZtocOptions options;
  private final ZtocBudget budget;
  private final ChunkBuffers buffers = new ChunkBuffers();
  private final SpanHasher hasher = new SpanHasher(buffers);
  private final FileList files = new FileList();
  private final TarWalker tar;
  private final SpanCuts cuts;
  private final Checkpoints checkpoints;
  private final LayerPass pass;

  /** What the chunk before left over, behind {@code CARRY - carried}. */
  private final byte[] carry = new byte[ChunkBuffers.CARRY];

  private int carried;

  private long read;
  private @Nullable String refused;

  private ZtocBuilder(Compression compression, ZtocOptions options) {
    this.compression = compression;
    this.options = options;
    budget = new ZtocBudget(options.maxZtocBytes());
    tar =
        new TarWalker(entry -> {
          files.add(entry);
          budget.add(ZtocWriter.bytesFor(entry));
        });
    cuts = new SpanCuts(budget);
    checkpoints = new Checkpoints(options.spanSize());
    pass =
        switch (compression) {
          case GZIP -> new GzipPass(tar, checkpoints, cuts, budget);
          case UNCOMPRESSED -> new PlainPass(options.spanSize(), tar, cuts, budget);
        };
  }

  /**
   * Reads a layer to the end of the stream, and indexes it. The stream is not closed.
   *
   * <p>An interrupt ends it with an {@link InterruptedIOException}. A stream that doesn't answer
   * interrupts may then still be being read, until it is closed.
   *
   * @throws IOException only if the stream fails
   */
  public static ZtocOutcome build(InputStream layer, Compression compression, ZtocOptions options)
      throws IOException {
    try (ZtocBuilder builder = new ZtocBuilder(compression, options);
        LayerInput input = new LayerInput(layer, builder.buffers)) {
      LayerInput.Chunk chunk;
      do {
        chunk = input.next();
        builder.chunk(chunk.buffer(), ChunkBuffers.CARRY + chunk.length(), chunk.last());
      } while (!chunk.last());
      return builder.outcome();
    }
  }

  @Override
  public void close() {
    hasher.close();
  }

  /** New bytes in {@code buffer[CARRY, end)}; the buffer is given away. */
  private void chunk(byte[] buffer, int end, boolean last) throws InterruptedIOException {
    if (Thread.currentThread().isInterrupted()) {
      throw ChunkBuffers.interrupted();
    }
    read += end - ChunkBuffers.CARRY;
    options.progress().at(read, files.count());
    if (refused == null) {
      try {
        decode(buffer, end, last);
        return;
      } catch (Refusal | InflateException | TarException e) {
        refused = String.valueOf(e.getMessage());
      }
    }
    buffers.giveBack(buffer);
  }

  private void decode(byte[] buffer, int end, boolean last)
      throws Refusal, InflateException, TarException {
    int from = ChunkBuffers.CARRY - carried;
    System.arraycopy(carry, from, buffer, from, carried);
    int consumed = pass.chunk(buffer, from, end, read - end, last);
    carried = end - consumed;
    System.arraycopy(buffer, consumed, carry, ChunkBuffers.CARRY - carried, carried);
    budget.check(read);
    if (last) {
      tar.finish();
    }
    hasher.hash(buffer, from, consumed, cuts.take());
  }

  private ZtocOutcome outcome() throws InterruptedIOException {
    if (refused != null) {
      return new ZtocOutcome.NotIndexable(refused);
    }
    List<byte[]> digests = hasher.finish();
    int count = files.count();
    ZtocWriter writer = new ZtocWriter(options.buildTool(), Math.toIntExact(budget.bytes()));
    int toc = writer.toc(files);
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
    return new ZtocOutcome.Built(bytes, digest, read, tar.position(), digests.size(), count);
  }
}
