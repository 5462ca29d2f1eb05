package dev.socifleet.cli.layout;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Bytes in a file: a file of its own, or the data of a tar's entry. Offset and size in bytes. */
public record Place(Path file, long offset, long size) {
  /** Everything of a file. */
  static Place of(Path file, long size) {
    return new Place(file, 0, size);
  }

  /** The bytes from the first to the last. */
  public InputStream open() throws IOException {
    FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
    return Channels.newInputStream(new Window(channel, offset, offset + size));
  }

  /** Copies the bytes without taking them through this process where the system can. */
  void copyTo(WritableByteChannel to) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long done = 0;
      while (done < size) {
        long n = channel.transferTo(offset + done, size - done, to);
        if (n <= 0) {
          throw new IOException(file + " ended at byte " + (offset + done) + ": it was shortened");
        }
        done += n;
      }
    }
  }

  /** A part of a file as a channel of its own. */
  private static final class Window implements ReadableByteChannel {
    private final FileChannel channel;
    private final long end;
    private long at;

    Window(FileChannel channel, long start, long end) {
      this.channel = channel;
      this.at = start;
      this.end = end;
    }

    @Override
    public int read(ByteBuffer to) throws IOException {
      if (at >= end) {
        return -1;
      }
      int limit = to.limit();
      to.limit((int) Math.min(limit, to.position() + (end - at)));
      try {
        int n = channel.read(to, at);
        at += Math.max(0, n);
        return n;
      } finally {
        to.limit(limit);
      }
    }

    @Override
    public boolean isOpen() {
      return channel.isOpen();
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}
