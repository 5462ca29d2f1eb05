package dev.socifleet.cli.ztoc;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.NoSpace;
import dev.socifleet.ztoc.Compression;
import dev.socifleet.ztoc.MalformedZtocException;
import dev.socifleet.ztoc.SpanReader;
import dev.socifleet.ztoc.Ztoc;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** What the commands read and write; each failure is one line that names the file. */
final class PlainFiles {
  /** As large as the largest zTOC that is built by default, and as much again. */
  private static final long MOST_ZTOC_BYTES = 512L << 20;

  /** Fills a file that is being made. */
  @FunctionalInterface
  interface Filling {
    void fill(FileChannel file) throws IOException;
  }

  private PlainFiles() {}

  /** A zTOC and the bytes that it was read from. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record ZtocFile(byte[] bytes, Ztoc ztoc) {}

  static ZtocFile ztoc(Path path) {
    try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
      if (file.size() > MOST_ZTOC_BYTES) {
        throw new CommandFailure(
            path + " is no zTOC: it has " + file.size() + " bytes, more than " + MOST_ZTOC_BYTES);
      }
      byte[] bytes = new byte[(int) file.size()];
      read(file, 0, bytes);
      return new ZtocFile(bytes, Ztoc.parse(bytes));
    } catch (MalformedZtocException e) {
      throw new CommandFailure("cannot read zTOC " + path + ": " + e.getMessage());
    } catch (IOException e) {
      throw failure("read zTOC", path, e);
    }
  }

  static FileChannel layer(Path path) {
    try {
      if (Files.isDirectory(path)) {
        throw new CommandFailure("cannot read layer " + path + ": it is a directory");
      }
      return FileChannel.open(path, StandardOpenOption.READ);
    } catch (IOException e) {
      throw failure("read layer", path, e);
    }
  }

  /** The spans of an open layer; for any number of threads. */
  static SpanReader.Source spans(FileChannel layer) {
    return (start, end) -> {
      if (end > layer.size()) {
        throw new EOFException(
            "the layer ends at compressed offset " + layer.size() + ", before " + end);
      }
      byte[] bytes = new byte[Math.toIntExact(end - start)];
      read(layer, start, bytes);
      return bytes;
    };
  }

  private static void read(FileChannel file, long position, byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      long at = position + buffer.position();
      if (file.read(buffer, at) < 0) {
        throw new EOFException("it ends at offset " + at);
      }
    }
  }

  /** How a layer with these first bytes is compressed; refuses what no zTOC can be of. */
  static Compression compression(Path path, byte[] first) {
    if (startsWith(first, 0x28, 0xb5, 0x2f, 0xfd)) {
      throw new CommandFailure(
          path
              + " cannot be indexed: it is compressed with zstd; only gzip and plain tar have zTOCs");
    }
    return startsWith(first, 0x1f, 0x8b) ? Compression.GZIP : Compression.UNCOMPRESSED;
  }

  private static boolean startsWith(byte[] bytes, int... wanted) {
    for (int i = 0; i < wanted.length; i++) {
      if (i >= bytes.length || (bytes[i] & 0xff) != wanted[i]) {
        return false;
      }
    }
    return true;
  }

  /** Makes a file, or replaces one, so that it is never seen half-written. */
  static void write(Path path, Filling filling) throws IOException {
    Path target = path.toAbsolutePath();
    if (Files.isDirectory(target)) {
      throw new CommandFailure("cannot write " + path + ": it is a directory");
    }
    if (Files.exists(target) && !Files.isRegularFile(target)) {
      // A device or a pipe is written to as it is.
      try (FileChannel file = FileChannel.open(target, StandardOpenOption.WRITE)) {
        filling.fill(file);
      }
      return;
    }
    Path temporary =
        target.resolveSibling("." + target.getFileName() + "." + ProcessHandle.current().pid());
    try {
      try (FileChannel file =
          FileChannel.open(
              temporary,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE)) {
        filling.fill(file);
      } catch (NoSuchFileException | AccessDeniedException e) {
        throw failure("write", path, e);
      } catch (IOException e) {
        throw NoSpace.at(path, e);
      }
      move(temporary, target);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private static void move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  static CommandFailure failure(String action, Path path, IOException e) {
    String reason =
        switch (e) {
          case NoSuchFileException _ ->
              Files.isDirectory(path.toAbsolutePath().resolveSibling(""))
                  ? "no such file"
                  : "no such directory";
          case AccessDeniedException _ -> "permission denied";
          default -> e.getMessage() == null ? e.toString() : e.getMessage();
        };
    return new CommandFailure("cannot " + action + " " + path + ": " + reason);
  }
}
