package dev.socifleet.cli.images;

import dev.socifleet.oci.Digest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/**
 * A layer made by hand.
 *
 * @param diffId of its tar
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record MadeLayer(String mediaType, byte[] bytes, Digest diffId, boolean isForeign) {
  private static final String DOCKER = "application/vnd.docker.image.rootfs.";
  private static final String OCI = "application/vnd.oci.image.layer.";
  private static final int END_OF_TAR = 1024;

  /** What kinds of layers there are. */
  enum Kind {
    OCI_GZIP(OCI + "v1.tar+gzip"),
    OCI_TAR(OCI + "v1.tar"),
    OCI_ZSTD(OCI + "v1.tar+zstd"),
    OCI_KEPT(OCI + "nondistributable.v1.tar+gzip"),
    DOCKER_GZIP(DOCKER + "diff.tar.gzip"),
    DOCKER_TAR(DOCKER + "diff.tar"),
    DOCKER_FOREIGN(DOCKER + "foreign.diff.tar.gzip");

    final String mediaType;

    Kind(String mediaType) {
      this.mediaType = mediaType;
    }
  }

  /** One with files of all sorts. */
  static MadeLayer of(Kind kind, Random random) throws IOException {
    byte[] tar = tar(random);
    return switch (kind) {
      case OCI_GZIP, OCI_KEPT, DOCKER_GZIP, DOCKER_FOREIGN -> of(kind, gzip(tar), tar);
      case OCI_TAR, DOCKER_TAR -> of(kind, tar, tar);
      case OCI_ZSTD -> {
        // Nobody looks into it: the magic number, and noise.
        byte[] noise = new byte[200 + random.nextInt(5000)];
        random.nextBytes(noise);
        System.arraycopy(HexFormat.of().parseHex("28b52ffd"), 0, noise, 0, 4);
        yield of(kind, noise, tar);
      }
    };
  }

  /** A tar without files, as Docker puts in the place of what changed no file. */
  static MadeLayer empty(Kind kind) throws IOException {
    byte[] tar = new byte[END_OF_TAR];
    boolean plain = kind == Kind.OCI_TAR || kind == Kind.DOCKER_TAR;
    return of(kind, plain ? tar : gzip(tar), tar);
  }

  private static MadeLayer of(Kind kind, byte[] bytes, byte[] tar) {
    return new MadeLayer(kind.mediaType, bytes, Digest.of(tar), kind == Kind.DOCKER_FOREIGN);
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    }
    return out.toByteArray();
  }

  private static byte[] tar(Random random) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(out, "UTF-8")) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
      tar.setAddPaxHeadersForNonAsciiNames(true);
      add(tar, new TarArchiveEntry("etc/"), new byte[0]);
      int files = random.nextInt(8);
      for (int i = 0; i < files; i++) {
        String name = "etc/" + "näme-".repeat(1 + random.nextInt(30)) + i;
        byte[] content = new byte[random.nextInt(60_000)];
        if (random.nextBoolean()) {
          random.nextBytes(content);
        }
        TarArchiveEntry file = new TarArchiveEntry(name);
        file.addPaxHeader("SCHILY.xattr.user.test", "v" + i);
        add(tar, file, content);
        TarArchiveEntry link = new TarArchiveEntry("etc/link-" + i, TarConstants.LF_SYMLINK);
        link.setLinkName("/" + name);
        add(tar, link, new byte[0]);
      }
      add(
          tar,
          new TarArchiveEntry("etc/.wh.gone-" + random.nextInt(1000)),
          "".getBytes(StandardCharsets.UTF_8));
    }
    return out.toByteArray();
  }

  private static void add(TarArchiveOutputStream tar, TarArchiveEntry entry, byte[] content)
      throws IOException {
    entry.setSize(content.length);
    entry.setModTime(1_700_000_000_000L);
    tar.putArchiveEntry(entry);
    tar.write(content);
    tar.closeArchiveEntry();
  }
}
