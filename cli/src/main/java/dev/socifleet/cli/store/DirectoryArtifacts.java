package dev.socifleet.cli.store;

import dev.socifleet.cli.NoSpace;
import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/**
 * An OCI image layout in {@code <root>/content}, as the existing tool and its daemon have it; it
 * has no labels and collects no garbage. A blob is there whole or not at all.
 */
final class DirectoryArtifacts implements ArtifactStore {
  private static final Pattern NAME = Pattern.compile("[0-9a-f]{64}");

  private final Path directory;

  DirectoryArtifacts(Path directory) {
    this.directory = directory;
  }

  private Path file(Digest blob) {
    return directory.resolve("blobs").resolve(blob.algorithm()).resolve(blob.hex());
  }

  @Override
  public OptionalLong size(Digest blob) throws IOException {
    try {
      return OptionalLong.of(Files.size(file(blob)));
    } catch (NoSuchFileException e) {
      return OptionalLong.empty();
    }
  }

  @Override
  public Instant created(Digest blob) throws IOException {
    try {
      return Files.getLastModifiedTime(file(blob)).toInstant();
    } catch (NoSuchFileException e) {
      return Instant.now();
    }
  }

  @Override
  public byte[] read(Digest blob, int most) throws IOException {
    Path file = file(blob);
    if (!Files.isRegularFile(file)) {
      throw new IOException("blob " + blob + " isn't in " + directory);
    }
    if (Files.size(file) > most) {
      throw new IOException("blob " + blob + " is larger than " + most + " bytes");
    }
    byte[] bytes = Files.readAllBytes(file);
    if (!blob.matches(bytes)) {
      throw new IOException("blob " + blob + " in " + directory + " is damaged; remove " + file);
    }
    return bytes;
  }

  @Override
  public void put(Digest blob, byte[] bytes, Map<String, String> references) throws IOException {
    Path file = file(blob);
    if (Files.exists(file)) {
      return;
    }
    Files.createDirectories(file.getParent());
    Path ingest = Files.createDirectories(directory.resolve("ingest"));
    Path marker = directory.resolve("oci-layout");
    if (!Files.exists(marker)) {
      write(ingest, marker, "{\"imageLayoutVersion\":\"1.0.0\"}".getBytes(StandardCharsets.UTF_8));
    }
    Path index = directory.resolve("index.json");
    if (!Files.exists(index)) {
      write(
          ingest, index, "{\"schemaVersion\":2,\"manifests\":[]}".getBytes(StandardCharsets.UTF_8));
    }
    write(ingest, file, bytes);
  }

  private static void write(Path ingest, Path file, byte[] bytes) throws IOException {
    Path temporary = Files.createTempFile(ingest, "blob", "");
    try {
      Files.write(temporary, bytes);
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw NoSpace.at(file, e);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  @Override
  public boolean delete(Digest blob) throws IOException {
    return Files.deleteIfExists(file(blob));
  }

  @Override
  public List<Digest> list() throws IOException {
    List<Digest> all = new ArrayList<>();
    Path folder = directory.resolve("blobs/sha256");
    if (Files.isDirectory(folder)) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
        for (Path file : files) {
          String name = file.getFileName().toString();
          if (NAME.matcher(name).matches()) {
            all.add(new Digest("sha256", name));
          }
        }
      }
    }
    return all;
  }
}
