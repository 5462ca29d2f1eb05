package dev.socifleet.cli.demo;

import dev.socifleet.cli.CommandFailure;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The image that the demo pushes: a Java service's, layered as such images are. A small base (the C
 * library, a shell, certificates, time zones), the whole JDK as its vendor ships it, the service's
 * jars (this program's own), and its configuration.
 */
final class JdkImage {
  /** Where the JDK stands in the image. */
  static final String JDK = "/opt/java";

  /** What is run out of it. */
  static final List<String> COMMAND = List.of(JDK + "/bin/java", "-version");

  /**
   * What a Java program without windows loads; the libraries of windows need more than a base has.
   */
  private static final List<String> PROGRAMS =
      List.of(
          "bin/java",
          "lib/server/libjvm.so",
          "lib/libjava.so",
          "lib/libjimage.so",
          "lib/libjli.so",
          "lib/libnet.so",
          "lib/libnio.so",
          "lib/libzip.so");

  private static final List<String> TOOLS = List.of("sh", "ls", "cat", "env", "du", "sleep");
  private static final List<String> BASE_FILES =
      List.of("/etc/ssl/certs/ca-certificates.crt", "/etc/os-release", "/etc/nsswitch.conf");
  private static final List<String> BASE_TREES = List.of("/usr/share/zoneinfo");

  private final Path jdk;
  private final List<Path> classPath;

  private JdkImage(Path jdk, List<Path> classPath) {
    this.jdk = jdk;
    this.classPath = List.copyOf(classPath);
  }

  /** From the JDK that runs this process and its class path. */
  static JdkImage ofThisProcess() throws IOException {
    Path home = Path.of(System.getProperty("java.home")).toRealPath();
    if (!Files.isRegularFile(home.resolve("lib/modules"))
        || !Files.isExecutable(home.resolve("bin/java"))) {
      throw new CommandFailure(
          home
              + " is no JDK to make an image of: it has no lib/modules or bin/java; set JAVA_HOME to a whole JDK 25");
    }
    List<Path> classPath =
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator, -1))
            .filter(entry -> !entry.isEmpty())
            .map(Path::of)
            .filter(Files::exists)
            .toList();
    return new JdkImage(home, classPath);
  }

  /** About how many bytes its files have; its layers and their tars aren't larger. */
  long uncompressedBytes() throws IOException {
    long bytes = 32 << 20; // the base
    List<Path> all = new ArrayList<>(classPath);
    all.add(jdk);
    for (Path part : all) {
      try (Stream<Path> files = Files.walk(part)) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          bytes += Files.size(file);
        }
      }
    }
    return bytes;
  }

  private interface Content {
    void write(LayerWriter layer) throws IOException, InterruptedException;
  }

  /**
   * Makes the layers, two at a time, as files in {@code directory}.
   *
   * @param made told of each layer when it is done
   */
  DemoImage make(Path directory, Consumer<DemoLayer> made)
      throws IOException, InterruptedException {
    Files.createDirectories(directory);
    List<Future<DemoLayer>> layers = new ArrayList<>();
    // closing waits; an interruption of this thread interrupts the writers
    try (ExecutorService threads =
        Executors.newFixedThreadPool(2, Thread.ofPlatform().daemon().name("layer-", 0).factory())) {
      try {
        layers.add(threads.submit(() -> layer(directory, "base", this::base, made)));
        layers.add(threads.submit(() -> layer(directory, "JDK", this::jdk, made)));
        layers.add(threads.submit(() -> layer(directory, "application", this::application, made)));
        layers.add(
            threads.submit(() -> layer(directory, "configuration", this::configuration, made)));
        List<DemoLayer> done = new ArrayList<>();
        for (Future<DemoLayer> layer : layers) {
          done.add(layer.get());
        }
        return DemoImage.of(done, COMMAND);
      } catch (ExecutionException e) {
        threads.shutdownNow();
        throw new IOException("cannot make the demo's image: " + e.getMessage(), e);
      } catch (InterruptedException e) {
        threads.shutdownNow();
        throw e;
      }
    }
  }

  private static DemoLayer layer(
      Path directory, String name, Content content, Consumer<DemoLayer> made)
      throws IOException, InterruptedException {
    try (LayerWriter writer = new LayerWriter(directory.resolve(name + ".tar.gz"))) {
      content.write(writer);
      DemoLayer layer = writer.finish(name);
      made.accept(layer);
      return layer;
    }
  }

  private void base(LayerWriter layer) throws IOException, InterruptedException {
    for (String directory : List.of("dev", "etc", "proc", "root", "run", "sys", "var")) {
      layer.directory(directory, 0755);
    }
    layer.directory("tmp", 01777);
    layer.text("etc/passwd", 0644, "root:x:0:0:root:/root:/bin/sh\n");
    layer.text("etc/group", 0644, "root:x:0:\n");
    layer.text("etc/hosts", 0644, "127.0.0.1 localhost\n");
    for (String file : BASE_FILES) {
      if (Files.isReadable(Path.of(file))) {
        layer.file(Path.of(file), file.substring(1));
      }
    }
    for (String tree : BASE_TREES) {
      if (Files.isDirectory(Path.of(tree))) {
        layer.tree(Path.of(tree), tree.substring(1), path -> true);
      }
    }
    Map<String, Path> tools = tools();
    for (Map.Entry<String, Path> tool : tools.entrySet()) {
      layer.file(tool.getValue(), "bin/" + tool.getKey());
    }
    List<Path> programs = new ArrayList<>(tools.values());
    for (String program : PROGRAMS) {
      if (Files.exists(jdk.resolve(program))) {
        programs.add(jdk.resolve(program));
      }
    }
    for (Path library : SharedLibraries.of(programs)) {
      if (!library.toRealPath().startsWith(jdk)) {
        layer.file(library, library.toString().substring(1));
      }
    }
  }

  private static Map<String, Path> tools() {
    Map<String, Path> found = new TreeMap<>();
    for (String tool : TOOLS) {
      for (String directory : List.of("/bin", "/usr/bin")) {
        Path file = Path.of(directory, tool);
        if (Files.isExecutable(file)) {
          found.putIfAbsent(tool, file);
        }
      }
    }
    return found;
  }

  private void jdk(LayerWriter layer) throws IOException {
    layer.tree(jdk, JDK.substring(1), path -> true);
  }

  private void application(LayerWriter layer) throws IOException {
    layer.directory("opt/app", 0755);
    int directories = 0;
    for (Path entry : classPath.stream().sorted().toList()) {
      if (Files.isDirectory(entry)) {
        layer.tree(entry, "opt/app/classes" + directories++, path -> true);
      } else {
        layer.file(entry, "opt/app/" + entry.getFileName());
      }
    }
  }

  private void configuration(LayerWriter layer) throws IOException {
    layer.text(
        "usr/local/bin/soci",
        0755,
        "#!/bin/sh\nexec "
            + JDK
            + "/bin/java --enable-native-access=ALL-UNNAMED -cp '/opt/app/*' dev.socifleet.cli.Soci \"$@\"\n");
    layer.text("etc/soci-fleet.conf", 0644, "# made by soci demo\n");
  }
}
