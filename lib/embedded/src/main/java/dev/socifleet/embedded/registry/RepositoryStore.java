package dev.socifleet.embedded.registry;

import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What each repository has: links to content, tags, referrers. Readers need no lock; who changes
 * manifests or tags holds the repository's {@link #lock}.
 */
final class RepositoryStore {
  private static final Logger LOG = LoggerFactory.getLogger(RepositoryStore.class);
  private static final int LOCKS = 64;

  /** A manifest that a repository has. */
  record Stored(Digest digest, String mediaType, long size) {
    /** The entity tag (RFC 9110, 8.8.3) of whatever names this manifest. */
    String etag() {
      return "\"" + digest + "\"";
    }
  }

  private final Layout layout;
  private final ContentStore content;
  private final Lock[] locks = new Lock[LOCKS];

  RepositoryStore(Layout layout, ContentStore content) {
    this.layout = layout;
    this.content = content;
    for (int i = 0; i < LOCKS; i++) {
      locks[i] = new ReentrantLock();
    }
  }

  Lock lock(String repository) {
    return locks[Math.floorMod(repository.hashCode(), LOCKS)];
  }

  OptionalLong blobSize(String repository, Digest digest) throws IOException {
    return Files.exists(layout.blob(repository, digest))
        ? content.size(digest)
        : OptionalLong.empty();
  }

  void addBlob(String repository, Digest digest) throws IOException {
    layout.link(layout.blob(repository, digest), "");
  }

  boolean removeBlob(String repository, Digest digest) throws IOException {
    return Files.deleteIfExists(layout.blob(repository, digest));
  }

  Optional<Stored> manifest(String repository, Digest digest) throws IOException {
    Optional<String> mediaType = Layout.read(layout.manifest(repository, digest));
    OptionalLong size = content.size(digest);
    return mediaType.isEmpty() || size.isEmpty()
        ? Optional.empty()
        : Optional.of(new Stored(digest, mediaType.get(), size.getAsLong()));
  }

  Optional<Stored> tagged(String repository, String tag) throws IOException {
    Optional<String> digest = Layout.read(layout.tag(repository, tag));
    return digest.isEmpty() ? Optional.empty() : manifest(repository, Digest.parse(digest.get()));
  }

  /** Adds a manifest; the caller has checked it. */
  void addManifest(
      String repository, Digest digest, String mediaType, byte[] bytes, Optional<Digest> subject)
      throws IOException {
    content.put(digest, bytes);
    layout.link(layout.manifest(repository, digest), mediaType);
    if (subject.isPresent()) {
      layout.link(layout.referrer(repository, subject.get(), digest), "");
    }
  }

  void tag(String repository, String tag, Digest digest) throws IOException {
    layout.link(layout.tag(repository, tag), digest.toString());
  }

  boolean untag(String repository, String tag) throws IOException {
    return Files.deleteIfExists(layout.tag(repository, tag));
  }

  /** Removes a manifest, the tags that name it, and what it says of its subject. */
  void removeManifest(String repository, Digest digest, Optional<Digest> subject)
      throws IOException {
    for (String tag : tags(repository)) {
      if (Layout.read(layout.tag(repository, tag)).equals(Optional.of(digest.toString()))) {
        untag(repository, tag);
      }
    }
    if (subject.isPresent()) {
      Files.deleteIfExists(layout.referrer(repository, subject.get(), digest));
    }
    Files.deleteIfExists(layout.manifest(repository, digest));
  }

  boolean exists(String repository) {
    return Files.isDirectory(layout.repository(repository).resolve("_manifests"));
  }

  /** All tags, sorted. */
  List<String> tags(String repository) throws IOException {
    return names(layout.tags(repository));
  }

  /** The manifests whose subject it is, sorted by digest. */
  List<Digest> referrers(String repository, Digest subject) throws IOException {
    List<Digest> digests = new ArrayList<>();
    for (String name : names(layout.referrers(repository, subject))) {
      digests.add(Digest.parse(name.replaceFirst("-", ":")));
    }
    return digests;
  }

  byte[] bytes(Stored manifest) throws IOException {
    return content.read(manifest.digest());
  }

  /** The names of all repositories that had a manifest once, sorted. */
  List<String> repositories() throws IOException {
    List<String> found = new ArrayList<>();
    Files.walkFileTree(
        layout.repositories(),
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
            String name = String.valueOf(directory.getFileName());
            if (name.equals("_manifests")) {
              found.add(layout.repositories().relativize(directory.getParent()).toString());
            }
            return name.startsWith("_") ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
          }
        });
    found.sort(null);
    return found;
  }

  /**
   * Deletes content that no repository has any more, and what an earlier process left half written.
   * Only before the first request.
   */
  void sweep() throws IOException {
    for (String partial : names(layout.partials())) {
      Files.deleteIfExists(layout.partials().resolve(partial));
    }
    Set<String> linked = new HashSet<>();
    Files.walkFileTree(
        layout.repositories(),
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            linked.add(String.valueOf(file.getFileName()));
            return FileVisitResult.CONTINUE;
          }
        });
    long[] freed = new long[2];
    Files.walkFileTree(
        layout.content(),
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            if (!linked.contains(String.valueOf(file.getFileName()))) {
              Files.delete(file);
              freed[0]++;
              freed[1] += attributes.size();
            }
            return FileVisitResult.CONTINUE;
          }
        });
    if (freed[0] > 0) {
      LOG.info("deleted {} blobs that no repository has, {} bytes", freed[0], freed[1]);
    }
  }

  private static List<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> String.valueOf(file.getFileName())).sorted().toList();
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of();
    }
  }
}
