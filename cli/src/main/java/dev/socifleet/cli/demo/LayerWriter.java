package dev.socifleet.cli.demo;

import dev.socifleet.oci.Digest;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/**
 * Writes one layer, a gzip-compressed tar, as a stream to a file, and knows both its digests at the
 * end. Everything in it is root's. The same files give the same bytes. One thread; its interruption
 * ends the writing.
 */
final class LayerWriter implements AutoCloseable {
  private static final int BUFFER = 1 << 16;

  private final Path file;
  private final MessageDigest blobDigest = Digest.newSha256();
  private final MessageDigest tarDigest = Digest.newSha256();
  private final TarArchiveOutputStream tar;
  private final Set<String> directories = new HashSet<>();

  LayerWriter(Path file) throws IOException {
    this.file = file;
    OutputStream blob =
        new DigestOutputStream(
            new BufferedOutputStream(Files.newOutputStream(file), BUFFER), blobDigest);
    tar =
        new TarArchiveOutputStream(
            new DigestOutputStream(new QuickGzip(blob), tarDigest), StandardCharsets.UTF_8.name());
    tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
    tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
    tar.setAddPaxHeadersForNonAsciiNames(true);
  }

  /** Level 1: a demo shouldn't wait for the compressor. */
  private static final class QuickGzip extends GZIPOutputStream {
    QuickGzip(OutputStream out) throws IOException {
      super(out, BUFFER);
      def.setLevel(Deflater.BEST_SPEED);
    }
  }

  /** A directory, after those that it lies in; nothing happens where the layer has it already. */
  void directory(String name, int mode) throws IOException {
    if (name.isEmpty() || !directories.add(name)) {
      return;
    }
    parents(name);
    TarArchiveEntry entry = new TarArchiveEntry(name + "/");
    entry.setMode(mode);
    put(entry, FileTime.fromMillis(0));
    tar.closeArchiveEntry();
  }

  private void parents(String name) throws IOException {
    int slash = name.lastIndexOf('/');
    if (slash > 0) {
      directory(name.substring(0, slash), 0755);
    }
  }

  void text(String name, int mode, String content) throws IOException {
    parents(name);
    byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
    TarArchiveEntry entry = new TarArchiveEntry(name);
    entry.setSize(bytes.length);
    entry.setMode(mode);
    put(entry, FileTime.fromMillis(0));
    tar.write(bytes);
    tar.closeArchiveEntry();
  }

  /** The regular file that {@code source} leads to. */
  void file(Path source, String name) throws IOException {
    parents(name);
    TarArchiveEntry entry = new TarArchiveEntry(name);
    long size = Files.size(source);
    entry.setSize(size);
    entry.setMode((int) Files.getAttribute(source, "unix:mode") & 07777);
    put(entry, Files.getLastModifiedTime(source));
    byte[] buffer = new byte[BUFFER];
    try (InputStream from = Files.newInputStream(source)) {
      for (int count = from.read(buffer); count >= 0; count = from.read(buffer)) {
        if (Thread.interrupted()) {
          throw new InterruptedIOException("interrupted while writing " + file);
        }
        tar.write(buffer, 0, count);
      }
    }
    tar.closeArchiveEntry();
  }

  /**
   * A directory and what lies below it, in the order of the names. Symbolic links that stay inside
   * are kept; those that lead out of it are replaced by what they lead to, for that isn't in the
   * image (Debian keeps parts of its JDKs in /etc).
   *
   * @param wanted which paths below {@code source}, relative to it, to take
   */
  void tree(Path source, String name, Predicate<Path> wanted) throws IOException {
    Path root = source.toRealPath();
    tree(root, root, name, wanted);
  }

  private void tree(Path root, Path at, String name, Predicate<Path> wanted) throws IOException {
    directory(name, 0755);
    List<Path> children;
    try (Stream<Path> all = Files.list(at)) {
      children = all.sorted().toList();
    }
    for (Path child : children) {
      String childName = name + "/" + child.getFileName();
      if (!wanted.test(root.relativize(child)) || !Files.isReadable(child)) {
        continue; // not wanted, not ours to read, or a link to nothing
      }
      if (Files.isSymbolicLink(child) && child.toRealPath().startsWith(root)) {
        Path target = Files.readSymbolicLink(child);
        link(childName, target.isAbsolute() ? within(at, child) : target.toString());
      } else if (Files.isDirectory(child)) {
        tree(root, child, childName, wanted);
      } else if (Files.isRegularFile(child)) {
        file(child, childName);
      }
    }
  }

  /** Where an absolute link leads, said from its own directory: the tree moves in the image. */
  private static String within(Path directory, Path link) throws IOException {
    return directory.toRealPath().relativize(link.toRealPath()).toString();
  }

  private void link(String name, String target) throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(name, TarConstants.LF_SYMLINK);
    entry.setLinkName(target);
    put(entry, FileTime.fromMillis(0));
    tar.closeArchiveEntry();
  }

  /** Ends the layer. */
  DemoLayer finish(String name) throws IOException {
    tar.finish();
    long uncompressed = tar.getBytesWritten();
    tar.close();
    return new DemoLayer(
        name,
        file,
        Digest.ofHash(blobDigest.digest()),
        Digest.ofHash(tarDigest.digest()),
        Files.size(file),
        uncompressed);
  }

  /** Closes the file, whatever state the layer is in. */
  @Override
  public void close() throws IOException {
    tar.close();
  }

  private void put(TarArchiveEntry entry, FileTime modified) throws IOException {
    entry.setUserId(0);
    entry.setGroupId(0);
    entry.setUserName("root");
    entry.setGroupName("root");
    entry.setModTime(modified.toMillis() / 1000 * 1000); // whole seconds need no pax header
    tar.putArchiveEntry(entry);
  }
}
