package dev.socifleet.cli.convert;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The images of the test resources with what the existing tool made of them. */
public final class Vectors {
  private static final String MISSING_LAYER =
      "46cebe1a5faafb1d4a00ac96da651ac14c2da09d5b225177771263cf46b8809a";

  /** Another directory with images/ and layers/: -Dsoci.vectors=DIR. */
  private static final String ELSEWHERE = System.getProperty("soci.vectors", "");

  private final Path images;
  private final Map<String, Path> layers = new HashMap<>();

  public Vectors() throws IOException {
    boolean elsewhere = !ELSEWHERE.isEmpty();
    images = elsewhere ? Path.of(ELSEWHERE, "images") : Path.of("src/test/resources/images");
    Path folder =
        elsewhere ? Path.of(ELSEWHERE, "layers") : Path.of("../lib/ztoc/src/test/resources/layers");
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        layers.put(Digest.of(Files.readAllBytes(file)).hex(), file);
      }
    }
  }

  public List<String> names() throws IOException {
    try (Stream<Path> all = Files.list(images)) {
      return all.filter(Files::isDirectory).map(p -> p.getFileName().toString()).sorted().toList();
    }
  }

  public JsonNode results(String image) throws IOException {
    return new JsonMapper().readTree(images.resolve(image).resolve("results.json").toFile());
  }

  /** A copy of an image's layout with its layers. */
  public Path copy(String image, Path to) throws IOException {
    Path from = images.resolve(image);
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (!file.getFileName().toString().equals("results.json")) {
          Path copy = to.resolve(from.relativize(file).toString());
          Files.createDirectories(copy.getParent());
          Files.copy(file, copy);
        }
      }
    }
    Path blobs = to.resolve("blobs/sha256");
    for (Map.Entry<String, Path> layer : layers.entrySet()) {
      boolean wanted = false;
      try (Stream<Path> files = Files.list(from.resolve("blobs/sha256"))) {
        for (Path file : files.toList()) {
          wanted |= Files.size(file) < 100_000 && Files.readString(file).contains(layer.getKey());
        }
      }
      boolean missing = image.equals("missing-layer") && layer.getKey().equals(MISSING_LAYER);
      if (wanted && !missing) {
        Files.copy(layer.getValue(), blobs.resolve(layer.getKey()));
      }
    }
    return to;
  }
}
