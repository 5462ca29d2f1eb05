package dev.socifleet.cli.images;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.cli.RunSoci;
import dev.socifleet.cli.RunSoci.Ended;
import dev.socifleet.embedded.registry.SmallRegistry;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.Repository;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.testing.DockerRegistryProcess;
import dev.socifleet.testing.FreePort;
import dev.socifleet.testing.Needs;
import dev.socifleet.testing.OpenRegistries;
import dev.socifleet.testing.PushedLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whatever made an image, and whatever is in it: its layers stay as they are, what we make is valid
 * by the image specification, and skopeo reads it, from a layout, an archive and a registry.
 */
@Timeout(1200)
class ConvertedImagesIT {
  /** The seeds of the images made by hand. */
  private static final int SEEDS = 16;

  private static final int SEEDS_AT_REGISTRIES = 6;

  @TempDir private static Path shared;
  private static Map<String, ImageFiles> ofTools = Map.of();

  @TempDir private Path directory;
  private LayersElsewhere elsewhere;

  @BeforeEach
  void open() throws Exception {
    elsewhere = new LayersElsewhere();
  }

  @AfterEach
  void close() {
    elsewhere.close();
  }

  @TestFactory
  Stream<DynamicTest> imagesOfTools() throws Exception {
    return ofTools().entrySet().stream()
        .map(image ->
            DynamicTest.dynamicTest(
                image.getKey(),
                () -> layoutsAreRight(image.getValue(), image.getKey().replace(' ', '-'))));
  }

  @TestFactory
  Stream<DynamicTest> imagesMadeByHand() {
    return LongStream.range(0, SEEDS)
        .mapToObj(seed ->
            DynamicTest.dynamicTest(
                "seed " + seed, () -> layoutsAreRight(byHand(seed), "h" + seed)));
  }

  /** Made once. */
  private static synchronized Map<String, ImageFiles> ofTools() throws Exception {
    if (ofTools.isEmpty()) {
      ofTools = ToolImages.make(shared);
    }
    return ofTools;
  }

  private ImageFiles byHand(long seed) throws Exception {
    return HandMadeImage.make(directory.resolve("by-hand-" + seed), seed, elsewhere);
  }

  private static Ended convert(String format, Path from, Path to) {
    return RunSoci.soci(
        "convert",
        "--standalone",
        "--format",
        format,
        "--min-layer-size",
        "0",
        "--span-size",
        "65536",
        "--all-platforms",
        from.toString(),
        to.toString());
  }

  private void layoutsAreRight(ImageFiles source, String name) throws Exception {
    Path to = Files.createDirectory(directory.resolve(name));

    Ended ended = convert("oci-dir", source.directory(), to.resolve("made"));
    assertThat(ended.failure()).isEmpty();
    ImageFiles made = new ImageFiles(to.resolve("made"));
    ConversionCheck.check(source, made, ended.out());

    assertThat(convert("oci-archive", source.directory(), to.resolve("made.tar")).failure())
        .isEmpty();
    ImageFiles unpacked = ImageFiles.ofArchive(to.resolve("made.tar"), to.resolve("unpacked"));
    assertThat(unpacked.root()).isEqualTo(made.root());
    ConversionCheck.check(source, unpacked, ended.out());

    assertThat(convert("oci-dir", made.directory(), to.resolve("again")).failure()).isEmpty();
    assertThat(new ImageFiles(to.resolve("again")).root()).isEqualTo(made.root());

    skopeoReads("oci:" + made.directory(), made, to.resolve("read"));
    skopeoReads("oci-archive:" + to.resolve("made.tar"), made, to.resolve("read-archive"));
  }

  /** Whether skopeo takes the whole image; it writes indexes anew, without what it doesn't know. */
  private static void skopeoReads(String image, ImageFiles made, Path to, String... flags)
      throws Exception {
    List<String> arguments = new ArrayList<>(List.of(flags));
    arguments.addAll(List.of("--multi-arch=all", image, "dir:" + to));
    ToolImages.skopeo(arguments.toArray(String[]::new));
    for (Digest blob : ConversionCheck.configsAndLayers(made)) {
      assertThat(to.resolve(blob.hex())).hasSameBinaryContentAs(made.path(blob));
    }
  }

  @Test
  void aSmallRegistry() throws Exception {
    try (SmallRegistry registry =
        SmallRegistry.start(SmallRegistry.Options.in(directory.resolve("registry")))) {
      registryIsRight(registry.host());
    }
  }

  @Test
  void aDockerRegistry() throws Exception {
    Needs.programs("docker-registry");
    Path state = Files.createDirectory(directory.resolve("registry"));
    try (DockerRegistryProcess registry =
        DockerRegistryProcess.start(
            state,
            FreePort.choose(),
            "validation: {manifests: {urls: {allow: [\"^http://127\"]}}}\n")) {
      registryIsRight(registry.host());
    }
  }

  private void registryIsRight(String host) throws Exception {
    Map<String, ImageFiles> images = new LinkedHashMap<>(ofTools());
    for (long seed = 0; seed < SEEDS_AT_REGISTRIES; seed++) {
      images.put("seed " + seed, byHand(seed));
    }
    try (HttpRegistries registries = OpenRegistries.at(host)) {
      for (Map.Entry<String, ImageFiles> image : images.entrySet()) {
        String name = image.getKey().replace(' ', '-');
        Repository repository = registries.repository(RepositoryName.parse(host + "/" + name));
        PushedLayout.push(image.getValue().directory(), repository, "1");
        publishedIsRight(image.getValue(), repository, name);
      }
    }
  }

  private void publishedIsRight(ImageFiles source, Repository repository, String name)
      throws Exception {
    Path to = Files.createDirectory(directory.resolve(name));
    String reference = repository.name() + ":1";

    Ended ended =
        RunSoci.soci("index", "create", "--min-layer-size", "0", "--span-size", "65536", reference);

    assertThat(ended.failure()).as(name).isEmpty();
    ImageFiles made = ImageFiles.ofRepository(repository, "1-soci", to.resolve("pulled"));
    skopeoReads(
        "docker://" + reference + "-soci", made, to.resolve("read"), "--src-tls-verify=false");
    ConversionCheck.check(source, made, ended.out());
    convert("oci-dir", source.directory(), to.resolve("made"));
    assertThat(made.root()).isEqualTo(new ImageFiles(to.resolve("made")).root());
    for (String verified : List.of(reference, reference + "-soci")) {
      Ended verify = RunSoci.soci("verify", "--all-platforms", verified);
      assertThat(verify.exit()).as(verify.out() + verify.err()).isZero();
    }
  }
}
