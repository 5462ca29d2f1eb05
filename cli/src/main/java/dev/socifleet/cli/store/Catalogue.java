package dev.socifleet.cli.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.cli.NoSpace;
import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What was built on this machine: a small JSON file for each artifact in {@code <root>/artifacts}.
 * Files are replaced whole, so that processes need no lock. {@code soci rebuild-db} makes it anew.
 */
public final class Catalogue {
  private static final Logger LOG = LoggerFactory.getLogger(Catalogue.class);
  private static final int LARGEST = 64 << 10;

  private final Path directory;

  Catalogue(Path directory) {
    this.directory = directory;
  }

  private Path file(Digest digest) {
    return directory.resolve(digest.algorithm() + "-" + digest.hex() + ".json");
  }

  public void put(Artifact artifact) throws IOException {
    Files.createDirectories(directory);
    Path temporary = Files.createTempFile(directory, "new", "");
    try {
      Files.write(temporary, artifact.bytes());
      Files.move(temporary, file(artifact.digest()), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw NoSpace.at(file(artifact.digest()), e);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  public Optional<Artifact> find(Digest digest) throws IOException {
    return read(file(digest));
  }

  public boolean remove(Digest digest) throws IOException {
    return Files.deleteIfExists(file(digest));
  }

  /** Every artifact of a kind, the newest first. */
  public List<Artifact> all(Artifact.Type type) throws IOException {
    List<Artifact> all = new ArrayList<>();
    if (Files.isDirectory(directory)) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*.json")) {
        for (Path file : files) {
          read(file).filter(artifact -> artifact.type() == type).ifPresent(all::add);
        }
      }
    }
    all.sort(Comparator.comparing(Artifact::created).reversed().thenComparing(Artifact::digest));
    return all;
  }

  private static Optional<Artifact> read(Path file) throws IOException {
    try {
      if (Files.size(file) > LARGEST) {
        LOG.warn("{} is no entry of the catalogue: it is too large", file);
        return Optional.empty();
      }
      return Optional.of(Artifact.read(new JsonMapper().readTree(Files.readAllBytes(file))));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (JsonProcessingException | IllegalArgumentException e) {
      LOG.warn("{} can't be read, soci rebuild-db makes it anew: {}", file, e.getMessage());
      return Optional.empty();
    }
  }
}
