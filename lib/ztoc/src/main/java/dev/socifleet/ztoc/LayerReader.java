package dev.socifleet.ztoc;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads a whole layer, or many spans of it, with several threads: what a checkpoint has makes spans
 * independent of each other. Each span is verified before it is decoded. Thread-safe, as far as its
 * source is.
 *
 * <p>Memory: for each thread the compressed bytes of a span, and at most 12 MiB of decoded bytes
 * that wait for their turn, whatever the layer.
 *
 * <p>A method that fails has handed out all bytes in front of the span that failed. When it
 * returns, its threads have ended. An interrupt ends it; it interrupts the threads then, and with
 * them the source.
 */
public final class LayerReader {
  private static final int MOST_THREADS = 64;

  private final Ztoc ztoc;
  private final SpanReader.Source source;
  private final int threads;

  /**
   * @param source is asked by several threads at once
   * @param threads from 1 on; more than there are processors is of use only if the source is slow
   */
  public LayerReader(Ztoc ztoc, SpanReader.Source source, int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("at least 1 thread, not " + threads);
    }
    this.ztoc = ztoc;
    this.source = source;
    this.threads = Math.min(threads, MOST_THREADS);
  }

  /** Writes the whole archive, in order. */
  public void copyTo(OutputStream out) throws IOException {
    read(0, ztoc.uncompressedSize(), out::write);
  }

  /**
   * Hands out the bytes from an uncompressed offset on, in order, in the thread that called.
   *
   * @param sink the array that it is given is valid during the call only
   */
  public void read(long offset, long length, SpanDecoder.Sink sink) throws IOException {
    SpanReader.check(ztoc, offset, length);
    if (length == 0) {
      return;
    }
    int first = ztoc.spanAt(offset);
    int end = ztoc.spanAt(offset + length - 1) + 1;
    if (threads == 1 || end - first == 1) {
      new SpanReader(ztoc, source).read(offset, length, sink);
      return;
    }
    SpanLine line = new SpanLine(first, end, 2 * threads);
    Workers workers = new Workers(Math.min(threads, end - first), () -> decode(line));
    boolean done = false;
    try {
      long start = ztoc.span(first).uncompressedStart();
      takeAll(line, new Excerpt(start, offset, offset + length, sink));
      done = true;
    } catch (InterruptedException e) {
      throw workers.interrupt();
    } finally {
      line.stop();
      workers.join(!done);
    }
  }

  private void start(SpanDecoder decoder, Span span) throws IOException {
    byte[] bytes = source.read(span.compressedStart(), span.compressedEnd());
    decoder.start(ztoc, span.index(), bytes);
  }

  /** What a thread does. */
  private void decode(SpanLine line) {
    SpanDecoder decoder = SpanDecoders.take();
    try {
      for (int span = line.begin(); span >= 0; span = line.begin()) {
        Throwable failure = null;
        try {
          decode(decoder, span, line);
        } catch (Throwable e) {
          failure = e;
        }
        line.finish(span, failure);
      }
    } catch (InterruptedException e) {
      // The caller was interrupted and doesn't wait for spans any more.
      Thread.currentThread().interrupt();
    } finally {
      SpanDecoders.giveBack(decoder);
    }
  }

  private void decode(SpanDecoder decoder, int index, SpanLine line) throws IOException {
    Span span = ztoc.span(index);
    start(decoder, span);
    decoder.decodeAway(
        span.uncompressedEnd(),
        line::buffer,
        (buffer, from, length) -> {
          try {
            if (!line.put(index, new SpanLine.Piece(buffer, from, length))) {
              throw new InterruptedIOException("nobody reads the layer any more");
            }
          } catch (InterruptedException e) {
            throw ChunkBuffers.interrupted();
          }
        });
  }

  private void takeAll(SpanLine line, Excerpt excerpt) throws IOException, InterruptedException {
    while (!excerpt.done()) {
      Optional<SpanLine.Piece> next = line.take();
      if (next.isEmpty()) {
        rethrow(line.failure());
        throw new IllegalStateException("spans end at " + excerpt.position() + ", before the end");
      }
      SpanLine.Piece piece = next.get();
      excerpt.accept(piece.buffer(), piece.from(), piece.length());
      if (ztoc.compression() == Compression.GZIP) {
        line.giveBack(piece.buffer());
      }
    }
  }

  private static void rethrow(@Nullable Throwable failure) throws IOException {
    switch (failure) {
      case null -> {}
      case IOException e -> throw e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IOException("reading a layer failed", failure);
    }
  }

  /** Threads that do the same work. */
  private static final class Workers {
    private final List<Thread> all = new ArrayList<>();

    Workers(int count, Runnable work) {
      for (int i = 0; i < count; i++) {
        all.add(Thread.ofPlatform().daemon().name("layer-span-" + i).start(work));
      }
    }

    InterruptedIOException interrupt() {
      all.forEach(Thread::interrupt);
      return ChunkBuffers.interrupted();
    }

    /** Waits for all, also if interrupted meanwhile: no thread outlives the call. */
    void join(boolean failing) throws InterruptedIOException {
      boolean interrupted = false;
      for (int i = 0; i < all.size(); ) {
        try {
          all.get(i).join();
          i++;
        } catch (InterruptedException e) {
          interrupted = true;
          all.forEach(Thread::interrupt);
        }
      }
      if (interrupted) {
        InterruptedIOException e = ChunkBuffers.interrupted();
        if (!failing) {
          throw e;
        }
      }
    }
  }
}
