package dev.socifleet.cli.images;

import dev.socifleet.cli.images.MadeLayer.Kind;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageIndex;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Platform;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;

/**
 * An image made by hand, which mixes all that images may have: one or several platforms, Docker's
 * or OCI's formats, attestations, other artifacts, nested indexes, layers of all kinds. The same
 * seed makes the same image.
 */
final class HandMadeImage {
  private static final List<Platform> PLATFORMS =
      List.of(
          platform("amd64", ""),
          platform("arm64", "v8"),
          platform("arm", "v7"),
          platform("arm", "v6"),
          platform("s390x", ""),
          new Platform("amd64", "windows", "10.0.20348.1", List.of("win32k"), ""));

  private final Random random;
  private final ImageFiles files;
  private final LayersElsewhere elsewhere;
  private final boolean docker;
  private final List<MadeLayer> pool = new ArrayList<>();

  private HandMadeImage(Path directory, long seed, LayersElsewhere elsewhere) throws IOException {
    this.elsewhere = elsewhere;
    random = new Random(seed);
    files = ImageFiles.create(directory);
    docker = random.nextInt(3) == 0;
    List<Kind> kinds =
        docker
            ? List.of(Kind.DOCKER_GZIP, Kind.DOCKER_TAR, Kind.DOCKER_FOREIGN)
            : List.of(Kind.OCI_GZIP, Kind.OCI_TAR, Kind.OCI_ZSTD, Kind.OCI_KEPT, Kind.DOCKER_GZIP);
    // The first is one of which a zTOC can be made; each image has it.
    pool.add(MadeLayer.of(kinds.getFirst(), random));
    for (int i = 0; i < 5; i++) {
      pool.add(MadeLayer.of(kinds.get(random.nextInt(kinds.size())), random));
    }
    pool.add(MadeLayer.empty(kinds.getFirst()));
    pool.add(MadeLayer.empty(kinds.get(1)));
  }

  private static Platform platform(String architecture, String variant) {
    return new Platform(architecture, "linux", "", List.of(), variant);
  }

  static ImageFiles make(Path directory, long seed, LayersElsewhere elsewhere) throws IOException {
    HandMadeImage image = new HandMadeImage(directory, seed, elsewhere);
    image.files.finish(image.root());
    return image.files;
  }

  private Descriptor root() throws IOException {
    int count = random.nextInt(4);
    if (count == 0) {
      return image(PLATFORMS.get(random.nextInt(PLATFORMS.size())));
    }
    List<Descriptor> entries = new ArrayList<>();
    int first = random.nextInt(PLATFORMS.size());
    for (int i = 0; i < count; i++) {
      Platform platform = PLATFORMS.get((first + i) % PLATFORMS.size());
      Descriptor image = image(platform).withPlatform(platform);
      if (!docker && random.nextBoolean()) {
        image = image.withAnnotations(Map.of("org.opencontainers.image.ref.name", "a<b>&c"));
      }
      if (!docker && random.nextInt(4) == 0) {
        image = withData(image);
      }
      entries.add(image);
      if (!docker && random.nextBoolean()) {
        entries.add(attestation(image));
      }
    }
    if (!docker && random.nextBoolean()) {
      entries.add(artifact());
    }
    if (!docker && random.nextInt(4) == 0) {
      Platform platform = platform("riscv64", "");
      entries.add(index(List.of(image(platform).withPlatform(platform))));
    }
    return index(entries);
  }

  /** The same descriptor with what it describes in itself. */
  private Descriptor withData(Descriptor of) throws IOException {
    return new Descriptor(
        of.mediaType(),
        of.digest(),
        of.size(),
        of.urls(),
        of.annotations(),
        Base64.getEncoder().encodeToString(files.read(of.digest())),
        of.platform(),
        of.artifactType());
  }

  private Descriptor index(List<Descriptor> entries) throws IOException {
    String mediaType = docker ? MediaTypes.DOCKER_LIST : MediaTypes.OCI_INDEX;
    Map<String, String> annotations =
        docker ? Map.of() : Map.of("example.test/made-by", "hand \u2028 & <eye>");
    return document(
        mediaType, OciJson.write(new ImageIndex(mediaType, "", entries, null, annotations)));
  }

  private Descriptor image(Platform platform) throws IOException {
    List<MadeLayer> layers = new ArrayList<>(List.of(pool.getFirst()));
    int more = random.nextInt(7);
    for (int i = 0; i < more; i++) {
      layers.add(pool.get(random.nextInt(pool.size()))); // the same one twice, at times
    }
    List<Descriptor> descriptors = new ArrayList<>();
    for (MadeLayer layer : layers) {
      descriptors.add(layer(layer));
    }
    String mediaType = docker ? MediaTypes.DOCKER_MANIFEST : MediaTypes.OCI_MANIFEST;
    Map<String, String> annotations =
        docker || random.nextBoolean()
            ? Map.of()
            : Map.of("org.opencontainers.image.title", "made <by> \"hand\" & ümläut");
    return document(
        mediaType,
        OciJson.write(
            new ImageManifest(
                mediaType, "", config(platform, layers), descriptors, null, annotations)));
  }

  private Descriptor layer(MadeLayer layer) throws IOException {
    if (layer.isForeign()) {
      return new Descriptor(
          layer.mediaType(),
          Digest.of(layer.bytes()),
          layer.bytes().length,
          List.of(elsewhere.put(layer.bytes())),
          Map.of(),
          "",
          null,
          "");
    }
    return files.put(layer.mediaType(), layer.bytes());
  }

  private Descriptor config(Platform platform, List<MadeLayer> layers) throws IOException {
    String ids =
        layers.stream()
            .map(layer -> '"' + layer.diffId().toString() + '"')
            .collect(Collectors.joining(","));
    String features =
        platform.osFeatures().stream()
            .map(feature -> '"' + feature + '"')
            .collect(Collectors.joining(","));
    String config =
        """
        {"architecture":"%s","os":"%s","variant":"%s","os.version":"%s","os.features":[%s],\
        "created":"2026-01-02T03:04:05Z","config":{"Env":["PATH=/bin"],"Cmd":["/bin/true"]},\
        "rootfs":{"type":"layers","diff_ids":[%s]},\
        "history":[{"created":"2026-01-02T03:04:05Z","created_by":"ENV A=b","empty_layer":true}]}\
        """
            .formatted(
                platform.architecture(),
                platform.os(),
                platform.variant(),
                platform.osVersion(),
                features,
                ids);
    return files.put(
        docker ? MediaTypes.DOCKER_CONFIG : MediaTypes.OCI_CONFIG,
        config.getBytes(StandardCharsets.UTF_8));
  }

  /** As BuildKit attaches them to an image. */
  private Descriptor attestation(Descriptor image) throws IOException {
    Platform unknown = new Platform("unknown", "unknown", "", List.of(), "");
    Descriptor statement =
        files
            .put(
                "application/vnd.in-toto+json",
                ("{\"subject\":\"" + image.digest() + "\"}").getBytes(StandardCharsets.UTF_8))
            .withAnnotations(Map.of("in-toto.io/predicate-type", "https://slsa.dev/provenance/v1"));
    ImageManifest manifest =
        new ImageManifest(
            MediaTypes.OCI_MANIFEST,
            "",
            config(unknown, List.of()),
            List.of(statement),
            null,
            Map.of());
    return document(MediaTypes.OCI_MANIFEST, OciJson.write(manifest))
        .withPlatform(unknown)
        .withAnnotations(
            Map.of(
                "vnd.docker.reference.type",
                "attestation-manifest",
                "vnd.docker.reference.digest",
                image.digest().toString()));
  }

  /** Something in an image's index that is no image. */
  private Descriptor artifact() throws IOException {
    byte[] chart = ("chart " + random.nextInt()).getBytes(StandardCharsets.UTF_8);
    byte[] values = "{\"name\":\"chart\"}".getBytes(StandardCharsets.UTF_8);
    ImageManifest manifest =
        new ImageManifest(
            MediaTypes.OCI_MANIFEST,
            "",
            files.put("application/vnd.cncf.helm.config.v1+json", values),
            List.of(files.put("application/vnd.cncf.helm.chart.content.v1.tar+gzip", chart)),
            null,
            Map.of("of", "the manifest"));
    return document(MediaTypes.OCI_MANIFEST, OciJson.write(manifest))
        .withAnnotations(Map.of("of", "the entry"));
  }

  private Descriptor document(String mediaType, byte[] bytes) throws IOException {
    return files.put(mediaType, random.nextBoolean() ? bytes : ImageFiles.indented(bytes));
  }
}
