package dev.socifleet.embedded.registry;

import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.LoggerFactory;

/**
 * Where everything lies. The only class that knows names of files.
 *
 * <pre>
 * lock                                            held while a registry runs on the directory
 * content/sha256/ab/abcd…                         the bytes of a digest
 * repositories/team/app/_blobs/sha256/abcd…       empty: the repository has this blob
 * repositories/team/app/_manifests/sha256/abcd…   the manifest's media type
 * repositories/team/app/_tags/1.2                 the digest of a manifest
 * repositories/team/app/_referrers/sha256/&lt;subject&gt;/sha256-abcd…   empty: this manifest refers to it
 * uploads/&lt;id&gt;                                    the bytes of an open upload
 * events/&lt;number&gt;                                 a notification that nobody took yet
 * partial/&lt;id&gt;                                    files before they are moved to their place
 * </pre>
 *
 * A component of a repository's name begins with a letter or digit, so it never meets the
 * directories with an underscore; names, tags and digests are checked before they come here.
 */
final class Layout implements AutoCloseable {
  private static final int LARGEST_LINK = 1024;

  private final Path root;
  private final FileChannel lock;

  private Layout(Path root, FileChannel lock) {
    this.root = root;
    this.lock = lock;
  }

  static Layout open(Path root) throws IOException {
    for (String child : new String[] {"content", "repositories", "uploads", "partial"}) {
      Files.createDirectories(root.resolve(child));
    }
    FileChannel channel =
        FileChannel.open(root.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    FileLock held;
    try {
      held = channel.tryLock();
    } catch (OverlappingFileLockException e) {
      held = null;
    } catch (IOException e) {
      channel.close();
      throw e;
    }
    if (held == null) {
      channel.close();
      throw new IOException(
          "cannot start a registry in " + root + ": another one runs on this directory");
    }
    return new Layout(root, channel);
  }

  Path content() {
    return root.resolve("content");
  }

  Path content(Digest digest) {
    return content()
        .resolve(digest.algorithm())
        .resolve(digest.hex().substring(0, 2))
        .resolve(digest.hex());
  }

  Path repositories() {
    return root.resolve("repositories");
  }

  Path repository(String name) {
    return repositories().resolve(name);
  }

  Path blob(String repository, Digest digest) {
    return repository(repository)
        .resolve("_blobs")
        .resolve(digest.algorithm())
        .resolve(digest.hex());
  }

  Path manifest(String repository, Digest digest) {
    return repository(repository)
        .resolve("_manifests")
        .resolve(digest.algorithm())
        .resolve(digest.hex());
  }

  Path tags(String repository) {
    return repository(repository).resolve("_tags");
  }

  Path tag(String repository, String tag) {
    return tags(repository).resolve(tag);
  }

  Path referrers(String repository, Digest subject) {
    return repository(repository)
        .resolve("_referrers")
        .resolve(subject.algorithm())
        .resolve(subject.hex());
  }

  Path referrer(String repository, Digest subject, Digest referrer) {
    return referrers(repository, subject).resolve(referrer.algorithm() + "-" + referrer.hex());
  }

  Path uploads() {
    return root.resolve("uploads");
  }

  Path events() {
    return root.resolve("events");
  }

  Path partials() {
    return root.resolve("partial");
  }

  /** A name for a file that {@link #place} will move where it belongs. */
  Path partial() {
    return partials().resolve(UUID.randomUUID().toString());
  }

  /** Moves a complete file to its place, in one step: readers see all of it or nothing. */
  static void place(Path partial, Path target) throws IOException {
    for (int attempt = 1; ; attempt++) {
      Files.createDirectories(target.getParent());
      try {
        Files.move(
            partial, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        return;
      } catch (NoSuchFileException e) {
        // Someone may have removed the empty directory just now.
        if (attempt == 3 || Files.notExists(partial)) {
          throw e;
        }
      }
    }
  }

  /** Writes a small file in one step. */
  void link(Path file, String text) throws IOException {
    Path partial = partial();
    Files.writeString(partial, text);
    place(partial, file);
  }

  /** A small file's text; empty where it is missing, or was cut by a loss of power. */
  static Optional<String> read(Path file) throws IOException {
    try {
      if (Files.size(file) > LARGEST_LINK) {
        return Optional.empty();
      }
      String text = Files.readString(file, StandardCharsets.UTF_8).strip();
      return text.isEmpty() ? Optional.empty() : Optional.of(text);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  @Override
  public void close() {
    try {
      lock.close();
    } catch (IOException e) {
      LoggerFactory.getLogger(Layout.class).warn("cannot give up the lock of {}", root, e);
    }
  }
}
