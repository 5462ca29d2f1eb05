package dev.socifleet.embedded.registry;

import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Uploads that were begun and not committed: a file each, which survives a restart. One that nobody
 * touched for a day is deleted. Thread-safe.
 */
final class Uploads {
  private static final Logger LOG = LoggerFactory.getLogger(Uploads.class);
  private static final int MOST_OPEN = 10_000;
  private static final int BUFFER = 256 << 10;
  static final Duration LIFE = Duration.ofHours(24);

  /** One upload. Its methods are called with its lock held. */
  static final class Upload {
    final String id;
    final ReentrantLock lock = new ReentrantLock();
    private final Path file;

    /** The sha256 of the file so far; null where an earlier process wrote some of it. */
    private final @Nullable MessageDigest sha256;

    private Upload(String id, Path file, @Nullable MessageDigest sha256) {
      this.id = id;
      this.file = file;
      this.sha256 = sha256;
    }

    /** Bytes received; empty once it was committed or cancelled. */
    Optional<Long> received() throws IOException {
      try {
        return Optional.of(Files.size(file));
      } catch (NoSuchFileException e) {
        return Optional.empty();
      }
    }

    /** Appends what comes; what came before a broken connection stays. */
    void append(InputStream bytes) throws IOException {
      byte[] buffer = new byte[BUFFER];
      try (OutputStream out =
          Files.newOutputStream(file, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
        for (int count; (count = bytes.read(buffer)) >= 0; ) {
          out.write(buffer, 0, count);
          if (sha256 != null) {
            sha256.update(buffer, 0, count);
          }
        }
      }
    }

    private boolean hasDigest(Digest digest) throws IOException {
      if (sha256 != null && digest.algorithm().equals("sha256")) {
        return Arrays.equals(sha256.digest(), digest.hash());
      }
      MessageDigest hash = digest.newMessageDigest();
      byte[] buffer = new byte[BUFFER];
      try (InputStream in = Files.newInputStream(file)) {
        for (int count; (count = in.read(buffer)) >= 0; ) {
          hash.update(buffer, 0, count);
        }
      }
      return Arrays.equals(hash.digest(), digest.hash());
    }
  }

  private final Layout layout;
  private final ContentStore content;
  private final Map<String, Upload> open = new ConcurrentHashMap<>();

  Uploads(Layout layout, ContentStore content) {
    this.layout = layout;
    this.content = content;
  }

  /** The id says whose it is, so that one repository's upload can't be continued in another. */
  Upload begin(String repository) throws IOException, Problem {
    if (open.size() >= MOST_OPEN) {
      expire(Instant.now());
    }
    if (open.size() >= MOST_OPEN) {
      throw new Problem(
          429,
          "TOOMANYREQUESTS",
          MOST_OPEN + " uploads are open; finish or cancel some",
          Map.of("Retry-After", "30"));
    }
    String id = UUID.randomUUID() + "-" + owner(repository);
    Path file = layout.uploads().resolve(id);
    Files.createFile(file);
    Upload upload = new Upload(id, file, Digest.newSha256());
    open.put(id, upload);
    return upload;
  }

  Upload find(String repository, String id) throws Problem {
    if (!id.matches("[0-9a-f-]{36}-[0-9a-f]{32}") || !id.endsWith("-" + owner(repository))) {
      throw Problem.unknownUpload();
    }
    Path file = layout.uploads().resolve(id);
    if (Files.notExists(file)) {
      throw Problem.unknownUpload();
    }
    return open.computeIfAbsent(id, _ -> new Upload(id, file, null));
  }

  /** Ends it: its bytes become content if they have the digest, and are gone otherwise. */
  void commit(Upload upload, Digest digest) throws IOException, Problem {
    open.remove(upload.id);
    if (!upload.hasDigest(digest)) {
      Files.deleteIfExists(upload.file);
      throw new Problem(
          400, "DIGEST_INVALID", "the bytes received don't have the digest " + digest);
    }
    content.adopt(upload.file, digest);
  }

  void cancel(Upload upload) throws IOException {
    open.remove(upload.id);
    Files.deleteIfExists(upload.file);
  }

  /** Deletes what nobody touched for {@link #LIFE}. */
  void expire(Instant now) throws IOException {
    try (Stream<Path> files = Files.list(layout.uploads())) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Upload busy = open.get(String.valueOf(file.getFileName()));
        if (busy != null && busy.lock.isLocked()) {
          continue;
        }
        try {
          if (Files.getLastModifiedTime(file).toInstant().plus(LIFE).isBefore(now)) {
            open.remove(String.valueOf(file.getFileName()));
            Files.deleteIfExists(file);
            LOG.info("deleted an upload that nobody continued: {}", file.getFileName());
          }
        } catch (NoSuchFileException e) {
          LOG.trace("{} ended meanwhile", file.getFileName());
        }
      }
    }
  }

  private static String owner(String repository) {
    return Digest.of(repository.getBytes(java.nio.charset.StandardCharsets.UTF_8))
        .hex()
        .substring(0, 32);
  }
}
