package dev.socifleet.cli.demo;

import dev.socifleet.oci.Digest;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.Set;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/**
 * Writes one layer, a gzip-compressed tar, and knows both its digests when it is closed. One
 * thread.
 */
final class LayerWriter implements AutoCloseable {
  /** A finished layer: the blob's digest and size, and the digest of the tar inside (diff id). */
  record Layer(Path file, Digest digest, Digest diffId, long size, long uncompressedSize) {}

  private final Path file;
  private final MessageDigest blobDigest = Digest.newSha256();
  private final MessageDigest tarDigest = Digest.newSha256();
  private final TarArchiveOutputStream tar;

  LayerWriter(Path file) throws IOException {
    this.file = file;
    OutputStream blob =
        new DigestOutputStream(
            new BufferedOutputStream(Files.newOutputStream(file), 1 << 16), blobDigest);
    // Level 1: a demo shouldn't wait for the compressor, and inflating doesn't care.
    OutputStream gzip =
        new GZIPOutputStream(blob, 1 << 16) {
          {
            def.setLevel(Deflater.BEST_SPEED);
          }
        };
    tar = new TarArchiveOutputStream(new DigestOutputStream(gzip, tarDigest), "UTF-8");
    tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
    tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
    tar.setAddPaxHeadersForNonAsciiNames(true);
  }

  void directory(String name) throws IOException {
    var entry = new TarArchiveEntry(name + "/");
    entry.setMode(0755);
    root(entry);
    tar.putArchiveEntry(entry);
    tar.closeArchiveEntry();
  }

  void text(String name, String content) throws IOException {
    byte[] bytes = content.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    var entry = new TarArchiveEntry(name);
    entry.setSize(bytes.length);
    entry.setMode(0644);
    root(entry);
    tar.putArchiveEntry(entry);
    tar.write(bytes);
    tar.closeArchiveEntry();
  }

  void link(String name, String target) throws IOException {
    var entry = new TarArchiveEntry(name, TarConstants.LF_SYMLINK);
    entry.setLinkName(target);
    root(entry);
    tar.putArchiveEntry(entry);
    tar.closeArchiveEntry();
  }

  /** One regular file, links followed. */
  void file(Path source, String name) throws IOException {
    var entry = new TarArchiveEntry(name);
    entry.setSize(Files.size(source));
    entry.setMode(mode(Files.getPosixFilePermissions(source)));
    entry.setLastModifiedTime(Files.getLastModifiedTime(source));
    root(entry);
    tar.putArchiveEntry(entry);
    Files.copy(source, tar);
    tar.closeArchiveEntry();
  }

  /** A directory and all below it, symbolic links kept. */
  void tree(Path source, String name) throws IOException {
    Files.walkFileTree(
        source,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
              throws IOException {
            directory(nameOf(directory));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path path, BasicFileAttributes attributes)
              throws IOException {
            if (attributes.isSymbolicLink()) {
              link(nameOf(path), Files.readSymbolicLink(path).toString());
            } else if (attributes.isRegularFile() && Files.isReadable(path)) {
              file(path, nameOf(path));
            }
            return FileVisitResult.CONTINUE;
          }

          private String nameOf(Path path) {
            String below = source.relativize(path).toString();
            return below.isEmpty() ? name : name + "/" + below;
          }
        });
  }

  Layer finish() throws IOException {
    tar.finish();
    long uncompressed = tar.getBytesWritten();
    tar.close();
    return new Layer(
        file,
        Digest.ofHash(blobDigest.digest()),
        Digest.ofHash(tarDigest.digest()),
        Files.size(file),
        uncompressed);
  }

  @Override
  public void close() throws IOException {
    tar.close();
  }

  private static void root(TarArchiveEntry entry) {
    entry.setUserId(0);
    entry.setGroupId(0);
    entry.setUserName("root");
    entry.setGroupName("root");
  }

  private static int mode(Set<PosixFilePermission> permissions) {
    int mode = 0;
    for (PosixFilePermission permission : permissions) {
      mode |= 0400 >> permission.ordinal();
    }
    return mode;
  }
}
