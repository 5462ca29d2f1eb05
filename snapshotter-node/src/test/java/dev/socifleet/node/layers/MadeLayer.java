package dev.socifleet.node.layers;

import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.ztoc.Compression;
import dev.socifleet.ztoc.Ztoc;
import dev.socifleet.ztoc.ZtocBuilder;
import dev.socifleet.ztoc.ZtocOptions;
import dev.socifleet.ztoc.ZtocOutcome;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/** A layer made member by member, with its zTOC. */
final class MadeLayer {
  static final RepositoryName REPOSITORY = RepositoryName.parse("registry.test/app");

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final TarArchiveOutputStream tar;

  MadeLayer() {
    tar = new TarArchiveOutputStream(bytes, StandardCharsets.UTF_8.name());
    tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
    tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
  }

  MadeLayer file(String name, String content) throws IOException {
    return file(name, content.getBytes(StandardCharsets.UTF_8), 0644, Map.of());
  }

  MadeLayer file(String name, byte[] content, int mode, Map<String, String> records)
      throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(name);
    entry.setMode(mode);
    entry.setSize(content.length);
    records.forEach(entry::addPaxHeader);
    tar.putArchiveEntry(entry);
    tar.write(content);
    tar.closeArchiveEntry();
    return this;
  }

  MadeLayer directory(String name, int mode) throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(name.endsWith("/") ? name : name + "/");
    entry.setMode(mode);
    return add(entry);
  }

  MadeLayer link(String name, byte type, String target) throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(name, type);
    entry.setLinkName(target);
    return add(entry);
  }

  MadeLayer hardLink(String name, String target) throws IOException {
    return link(name, TarConstants.LF_LINK, target);
  }

  MadeLayer symbolicLink(String name, String target) throws IOException {
    return link(name, TarConstants.LF_SYMLINK, target);
  }

  MadeLayer device(String name, byte type, int major, int minor) throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(name, type);
    entry.setDevMajor(major);
    entry.setDevMinor(minor);
    return add(entry);
  }

  MadeLayer add(TarArchiveEntry entry) throws IOException {
    tar.putArchiveEntry(entry);
    tar.closeArchiveEntry();
    return this;
  }

  /** The layer, compressed. */
  byte[] gzip() throws IOException {
    tar.finish();
    ByteArrayOutputStream compressed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(compressed)) {
      bytes.writeTo(gzip);
    }
    return compressed.toByteArray();
  }

  static byte[] ztocOf(byte[] gzip, long spanSize) throws IOException {
    ZtocOutcome outcome =
        ZtocBuilder.build(
            new ByteArrayInputStream(gzip), Compression.GZIP, ZtocOptions.ofSpanSize(spanSize));
    if (outcome instanceof ZtocOutcome.Built built) {
      return built.bytes();
    }
    throw new AssertionError(outcome);
  }

  Ztoc ztoc() throws IOException {
    return Ztoc.parse(ztocOf(gzip(), 1 << 16));
  }

  static LayerKey keyOf(byte[] gzip, byte[] ztoc) {
    return new LayerKey(Digest.of(gzip), Digest.of(ztoc));
  }
}
