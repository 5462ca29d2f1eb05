package dev.socifleet.ztoc;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * Reads a stream ahead, on a thread of its own: copying out of the kernel, and above all decrypting
 * what comes from a registry, then takes no time from decoding.
 *
 * <p>Used by one thread. Closing it interrupts a read; a stream that can't be interrupted is let go
 * of as soon as it returns or is closed.
 */
final class LayerInput implements AutoCloseable {
  /**
   * A buffer with {@code length} new bytes from {@link ChunkBuffers#CARRY} on.
   *
   * @param last the stream ends with them
   * @param failure instead of bytes
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Chunk(byte[] buffer, int length, boolean last, @Nullable Throwable failure) {}

  private static final byte[] NONE = {};

  private final InputStream stream;
  private final ChunkBuffers buffers;
  private final BlockingQueue<Chunk> filled = new ArrayBlockingQueue<>(ChunkBuffers.COUNT + 1);
  private final Thread thread;

  LayerInput(InputStream stream, ChunkBuffers buffers) {
    this.stream = stream;
    this.buffers = buffers;
    thread = Thread.ofPlatform().daemon().name("layer-read").unstarted(this::loop);
    thread.start();
  }

  /** The next bytes, {@link ChunkBuffers#CHUNK} unless they are the last. */
  Chunk next() throws IOException {
    Chunk chunk;
    try {
      chunk = filled.take();
    } catch (InterruptedException e) {
      throw ChunkBuffers.interrupted();
    }
    if (chunk.failure instanceof RuntimeException e) {
      throw e;
    }
    if (chunk.failure instanceof Error e) {
      throw e;
    }
    if (chunk.failure instanceof IOException e) {
      throw e;
    }
    if (chunk.failure != null) {
      throw new IOException("reading a layer failed", chunk.failure);
    }
    return chunk;
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private void loop() {
    try {
      boolean last;
      do {
        byte[] buffer = buffers.take();
        int length = stream.readNBytes(buffer, ChunkBuffers.CARRY, ChunkBuffers.CHUNK);
        last = length < ChunkBuffers.CHUNK;
        filled.add(new Chunk(buffer, length, last, null));
      } while (!last);
    } catch (InterruptedException e) {
      // Closed early: nobody waits for more.
      filled.add(new Chunk(NONE, 0, true, new InterruptedIOException("closed")));
    } catch (Throwable e) {
      filled.add(new Chunk(NONE, 0, true, e));
    }
  }
}
