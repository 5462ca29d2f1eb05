package dev.socifleet.cli.demo;

import dev.socifleet.oci.BlobContent;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Platform;
import dev.socifleet.oci.Platforms;
import dev.socifleet.oci.Repository;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** An image in files: its layers, base first, and its documents. */
@SuppressWarnings("ArrayRecordComponent") // documents as they are sent; nobody compares images
record DemoImage(List<DemoLayer> layers, byte[] config, byte[] manifest) {
  DemoImage {
    layers = List.copyOf(layers);
  }

  /**
   * The image of these layers for this machine's platform.
   *
   * @param command what a container of it runs
   */
  static DemoImage of(List<DemoLayer> layers, List<String> command) {
    byte[] config = config(layers, command).getBytes(StandardCharsets.UTF_8);
    byte[] manifest =
        OciJson.write(
            new ImageManifest(
                MediaTypes.OCI_MANIFEST,
                "",
                Descriptor.of(MediaTypes.OCI_CONFIG, Digest.of(config), config.length),
                layers.stream()
                    .map(layer ->
                        Descriptor.of(MediaTypes.OCI_LAYER_GZIP, layer.digest(), layer.size()))
                    .toList(),
                null,
                Map.of()));
    return new DemoImage(layers, config, manifest);
  }

  /** Compressed bytes of all layers: what a full pull downloads. */
  long size() {
    return layers.stream().mapToLong(DemoLayer::size).sum();
  }

  long uncompressedSize() {
    return layers.stream().mapToLong(DemoLayer::uncompressedSize).sum();
  }

  Digest digest() {
    return Digest.of(manifest);
  }

  /** Uploads it as a client does: blobs first, the manifest under its tag last. */
  void push(Repository repository, String tag) throws IOException {
    for (DemoLayer layer : layers) {
      repository.putBlob(layer.digest(), layer.size(), () -> Files.newInputStream(layer.file()));
    }
    repository.putBlob(Digest.of(config), config.length, BlobContent.of(config));
    repository.putManifest(tag, MediaTypes.OCI_MANIFEST, manifest);
  }

  private static String config(List<DemoLayer> layers, List<String> command) {
    Platform platform = Platforms.host();
    String variant =
        platform.variant().isEmpty() ? "" : ",\"variant\":\"" + platform.variant() + "\"";
    return """
    {"architecture":"%s"%s,"os":"linux","config":{"Env":["PATH=%s/bin:/usr/bin:/bin"],"Cmd":[%s]},\
    "rootfs":{"type":"layers","diff_ids":[%s]}}\
    """
        .formatted(
            platform.architecture(),
            variant,
            JdkImage.JDK,
            quoted(command),
            quoted(layers.stream().map(DemoLayer::diffId).toList()));
  }

  /** JSON texts; neither digests nor our commands hold anything to escape. */
  private static String quoted(List<?> texts) {
    return texts.stream().map(text -> "\"" + text + "\"").collect(Collectors.joining(","));
  }
}
