package dev.socifleet.ztoc.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** The inputs that fuzzing starts from, and those that it found, hold. */
class CorpusTest {
  @Test
  void blocksHold() throws IOException {
    run("inflate", InflateTarget::fuzzerTestOneInput);
  }

  @Test
  void gzipStreamsHold() throws IOException {
    run("gzip", GzipTarget::fuzzerTestOneInput);
  }

  @Test
  void archivesHold() throws IOException {
    run("tar", TarTarget::fuzzerTestOneInput);
  }

  @Test
  void ztocsHold() throws IOException {
    run("ztoc", ZtocTarget::fuzzerTestOneInput);
  }

  @Test
  void layersHold() throws IOException {
    run("layer", LayerTarget::fuzzerTestOneInput);
  }

  private static void run(String corpus, Consumer<byte[]> target) throws IOException {
    int inputs = 0;
    Path folder = Path.of("src/test/resources/fuzz", corpus);
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        try {
          target.accept(Files.readAllBytes(file));
        } catch (RuntimeException | AssertionError e) {
          throw new AssertionError("input " + file, e);
        }
        inputs++;
      }
    }
    assertThat(inputs).isGreaterThan(10);
  }
}
