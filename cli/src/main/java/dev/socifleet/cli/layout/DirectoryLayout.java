package dev.socifleet.cli.layout;

import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** A layout in a directory. */
final class DirectoryLayout implements ImageLayout {
  private final Path directory;

  DirectoryLayout(Path directory) {
    this.directory = directory;
  }

  @Override
  public Optional<Place> find(Digest blob) throws IOException {
    Path file = directory.resolve("blobs").resolve(blob.algorithm()).resolve(blob.hex());
    return Files.isRegularFile(file)
        ? Optional.of(Place.of(file, Files.size(file)))
        : Optional.empty();
  }

  @Override
  public Collection<Digest> blobs() throws IOException {
    List<Digest> all = new ArrayList<>();
    for (String algorithm : List.of("sha256", "sha512")) {
      Path folder = directory.resolve("blobs").resolve(algorithm);
      if (Files.isDirectory(folder)) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
          for (Path file : files) {
            BlobNames.parse(algorithm, file.getFileName().toString()).ifPresent(all::add);
          }
        }
      }
    }
    return all;
  }

  @Override
  public byte[] index() throws IOException {
    Path file = directory.resolve("index.json");
    if (!Files.isRegularFile(file)) {
      throw ImageLayout.noLayout(directory);
    }
    return ImageLayout.small(Place.of(file, Files.size(file)), LARGEST_INDEX, file.toString());
  }
}
