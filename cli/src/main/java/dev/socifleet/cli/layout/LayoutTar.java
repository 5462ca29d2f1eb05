package dev.socifleet.cli.layout;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/**
 * Writes a new tar. Of an entry only the header comes from the library, whose stream would take the
 * data through two buffers; a layer's bytes go from file to file, by the system where it can.
 */
final class LayoutTar implements Closeable {
  private static final int RECORD = 512;
  private static final int DIRECTORY_MODE = 040755;
  private static final int FILE_MODE = 0100444;

  private final FileChannel to;

  LayoutTar(Path file) throws IOException {
    to = FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
  }

  /** A directory; its name ends with a slash. */
  void directory(String name) throws IOException {
    header(name, DIRECTORY_MODE, 0);
  }

  void file(String name, byte[] bytes) throws IOException {
    header(name, FILE_MODE, bytes.length);
    write(bytes);
    fill(bytes.length);
  }

  void file(String name, Place place) throws IOException {
    header(name, FILE_MODE, place.size());
    place.copyTo(to);
    fill(place.size());
  }

  /** The archive's end: two empty records. */
  void finish() throws IOException {
    write(new byte[2 * RECORD]);
  }

  @Override
  public void close() throws IOException {
    to.close();
  }

  @SuppressWarnings("resource") // closed, it would end the archive
  private void header(String name, int mode, long size) throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(name);
    entry.setMode(mode);
    entry.setModTime(0);
    entry.setSize(size);
    ByteArrayOutputStream header = new ByteArrayOutputStream(RECORD);
    TarArchiveOutputStream out = new TarArchiveOutputStream(header, RECORD, "UTF-8");
    out.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
    out.putArchiveEntry(entry);
    write(header.toByteArray());
  }

  /** Data ends with a whole record. */
  private void fill(long size) throws IOException {
    write(new byte[(int) Math.floorMod(-size, (long) RECORD)]);
  }

  private void write(byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      to.write(buffer);
    }
  }
}
