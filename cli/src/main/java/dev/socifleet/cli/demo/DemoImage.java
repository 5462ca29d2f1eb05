package dev.socifleet.cli.demo;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A real image of several hundred megabytes from what every machine that runs this has: the C
 * library, this JDK, and this program's own libraries, one layer each, with a small configuration
 * layer on top.
 */
record DemoImage(List<LayerWriter.Layer> layers, byte[] config, byte[] manifest) {
  /** Where java stands in the image. */
  static final String JAVA = "/opt/jdk/bin/java";

  private static final Pattern LIBRARY = Pattern.compile("(?:=> )?(/\\S+) \\(0x");

  long compressedSize() {
    return layers.stream().mapToLong(LayerWriter.Layer::size).sum();
  }

  long uncompressedSize() {
    return layers.stream().mapToLong(LayerWriter.Layer::uncompressedSize).sum();
  }

  Digest digest() {
    return Digest.of(manifest);
  }

  /** Makes the layers, two at a time, as files in {@code directory}. */
  static DemoImage make(Path directory) throws IOException, InterruptedException {
    Path jdk = Path.of(System.getProperty("java.home")).toRealPath();
    try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
      List<Future<LayerWriter.Layer>> pending = new ArrayList<>();
      pending.add(threads.submit(layer(directory, "base", layer -> base(layer, jdk))));
      pending.add(
          threads.submit(
              layer(
                  directory,
                  "jdk",
                  layer -> {
                    layer.directory("opt");
                    layer.tree(jdk, "opt/jdk");
                  })));
      pending.add(threads.submit(layer(directory, "libraries", DemoImage::libraries)));
      pending.add(
          threads.submit(
              layer(
                  directory,
                  "configuration",
                  layer -> {
                    layer.directory("etc");
                    layer.text("etc/demo.conf", "greeting=started before it was downloaded\n");
                  })));
      List<LayerWriter.Layer> layers = new ArrayList<>();
      for (Future<LayerWriter.Layer> future : pending) {
        layers.add(future.get());
      }
      byte[] config = config(layers).getBytes(StandardCharsets.UTF_8);
      return new DemoImage(List.copyOf(layers), config, manifest(layers, config));
    } catch (ExecutionException e) {
      throw new IOException(
          "cannot make the demo image: " + e.getCause().getMessage(), e.getCause());
    }
  }

  private interface Content {
    void write(LayerWriter layer) throws IOException, InterruptedException;
  }

  private static Callable<LayerWriter.Layer> layer(Path directory, String name, Content content) {
    return () -> {
      try (var layer = new LayerWriter(directory.resolve(name + ".tar.gz"))) {
        content.write(layer);
        return layer.finish();
      }
    };
  }

  /** What java needs of the C library, found as the dynamic linker finds it. */
  private static void base(LayerWriter layer, Path jdk) throws IOException, InterruptedException {
    var libraries = new TreeSet<String>();
    for (String binary :
        List.of("bin/java", "lib/libjli.so", "lib/server/libjvm.so", "lib/libjava.so")) {
      Process ldd =
          new ProcessBuilder("ldd", jdk.resolve(binary).toString())
              .redirectErrorStream(true)
              .start();
      Matcher matcher =
          LIBRARY.matcher(new String(ldd.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
      ldd.waitFor();
      while (matcher.find()) {
        if (!Path.of(matcher.group(1)).startsWith(jdk)) {
          libraries.add(matcher.group(1));
        }
      }
    }
    var directories = new TreeSet<String>(List.of("dev", "proc", "tmp", "etc"));
    for (String library : libraries) {
      for (Path at = Path.of(library).getParent();
          at != null && at.getNameCount() > 0;
          at = at.getParent()) {
        directories.add(at.toString().substring(1));
      }
    }
    for (String directory : directories) {
      layer.directory(directory);
    }
    for (String library : libraries) {
      layer.file(Path.of(library).toRealPath(), library.substring(1));
    }
  }

  private static void libraries(LayerWriter layer) throws IOException {
    layer.directory("opt");
    layer.directory("opt/app");
    var jars =
        Pattern.compile(File.pathSeparator)
            .splitAsStream(System.getProperty("java.class.path"))
            .map(Path::of)
            .filter(Files::isRegularFile)
            .sorted(Comparator.comparing(Path::toString))
            .toList();
    for (Path jar : jars) {
      layer.file(jar, "opt/app/" + jar.getFileName());
    }
  }

  private static String config(List<LayerWriter.Layer> layers) {
    String architecture = System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64";
    String diffIds =
        layers.stream().map(layer -> "\"" + layer.diffId() + "\"").collect(Collectors.joining(","));
    return "{\"architecture\":\""
        + architecture
        + "\",\"os\":\"linux\",\"config\":{\"Env\":[\"PATH=/opt/jdk/bin\"],\"Cmd\":[\""
        + JAVA
        + "\",\"-version\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":["
        + diffIds
        + "]}}";
  }

  private static byte[] manifest(List<LayerWriter.Layer> layers, byte[] config) {
    return OciJson.write(
        new ImageManifest(
            MediaTypes.OCI_MANIFEST,
            "",
            Descriptor.of(MediaTypes.OCI_CONFIG, Digest.of(config), config.length),
            layers.stream()
                .map(
                    layer -> Descriptor.of(MediaTypes.OCI_LAYER_GZIP, layer.digest(), layer.size()))
                .toList(),
            null,
            Map.of()));
  }
}
