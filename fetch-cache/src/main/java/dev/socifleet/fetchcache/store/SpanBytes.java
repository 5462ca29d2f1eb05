package dev.socifleet.fetchcache.store;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The bytes of a value in a pooled direct buffer. Counted: made with one user, each further one
 * retains, each releases once, and the last one's release frees. Written by one thread before it is
 * handed on, then only read.
 */
public final class SpanBytes {
  private final ByteBuf buffer;
  private final Runnable freed;
  private final AtomicInteger users = new AtomicInteger(1);

  SpanBytes(ByteBuf buffer, Runnable freed) {
    this.buffer = buffer;
    this.freed = freed;
  }

  public SpanBytes retain() {
    if (users.getAndUpdate(n -> n == 0 ? 0 : n + 1) == 0) {
      throw new IllegalStateException("these bytes are freed");
    }
    return this;
  }

  public void release() {
    int left = users.decrementAndGet();
    if (left == 0) {
      buffer.release();
      freed.run();
    } else if (left < 0) {
      throw new IllegalStateException("these bytes were freed before");
    }
  }

  /** How many bytes have been written. */
  public int length() {
    return buffer.writerIndex();
  }

  public int capacity() {
    return buffer.capacity();
  }

  /** Forgets what was written, to be filled again. */
  public void clear() {
    buffer.writerIndex(0);
  }

  /** Appends. */
  public void write(byte[] from, int offset, int length) {
    buffer.writeBytes(from, offset, length);
  }

  /** Appends a part of other bytes. */
  public void write(SpanBytes from, int offset, int length) {
    buffer.writeBytes(from.buffer, offset, length);
  }

  /** A view for a writer: after it put {@code length} bytes there, {@link #written} says so. */
  ByteBuffer target() {
    return buffer.nioBuffer(0, buffer.capacity());
  }

  void written(int length) {
    buffer.writerIndex(length);
  }

  /** A view of what was written. */
  public ByteBuffer view() {
    return buffer.nioBuffer(0, buffer.writerIndex());
  }

  /** A view of a part, to be written to a socket; valid until the release. */
  public ByteBuf slice(int offset, int length) {
    return buffer.slice(offset, length);
  }

  byte[] sha256(MessageDigest hash) {
    hash.update(view());
    return hash.digest();
  }
}
