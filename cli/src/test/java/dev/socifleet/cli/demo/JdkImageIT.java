package dev.socifleet.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.OciJson;
import dev.socifleet.testing.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The demo's image, made of this very JDK. */
@Timeout(value = 20, unit = TimeUnit.MINUTES)
class JdkImageIT {
  @TempDir Path directory;

  @Test
  void itsLayersUnpackedByTarRunJava() throws Exception {
    Needs.root();

    DemoImage image = JdkImage.ofThisProcess().make(directory.resolve("layers"), layer -> {});

    assertThat(image.layers()).hasSizeGreaterThanOrEqualTo(3);
    assertThat(image.size()).isGreaterThan(100_000_000);
    ImageManifest manifest = OciJson.manifest(image.manifest());
    assertThat(manifest.config().digest()).isEqualTo(Digest.of(image.config()));
    assertThat(OciJson.diffIdsOfConfig(image.config()))
        .isEqualTo(image.layers().stream().map(DemoLayer::diffId).toList());
    Path unpacked = Files.createDirectories(directory.resolve("root"));
    for (DemoLayer layer : image.layers()) {
      FullPull.unpack(layer.file(), unpacked);
    }
    FirstOutput said = FirstOutput.of(unpacked, JdkImage.COMMAND);
    assertThat(said.text()).contains(System.getProperty("java.vm.version"));
    assertThat(said.toFirstOutput()).isPositive();
    assertThat(FirstOutput.of(unpacked, List.of("/bin/sh", "-c", "echo $0")).text())
        .isEqualTo("/bin/sh\n");
    try (Stream<Path> proc = Files.list(unpacked.resolve("proc"))) {
      assertThat(proc).as("the program's /proc is gone with it").isEmpty();
    }
  }
}
