package dev.socifleet.systemtests;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.cli.Soci;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.Repository;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.service.Parts;
import dev.socifleet.testing.ContainerdProcess;
import dev.socifleet.testing.ContainerdProcess.Result;
import dev.socifleet.testing.MadeImage;
import dev.socifleet.testing.Needs;
import dev.socifleet.testing.OpenRegistries;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;

/**
 * A real containerd, a real registry and the node's snapshots service, with an image of three
 * layers to pull: a program, 3 MB of noise, and the text that the program prints.
 */
final class RpullRig implements AutoCloseable {
  static final String GREETING = "hello from the third layer\n";

  final Path root;
  final DirectoryNode node;
  final ContainerdProcess containerd;
  final DockerRegistry registry;
  final Repository repository;
  final List<Path> trees;

  /** The image's name. */
  final String ref;

  private final Parts parts = new Parts();
  private MadeImage image;

  /**
   * @param root empty; at most 60 bytes long, for it holds sockets
   */
  RpullRig(Path root) throws Exception {
    Needs.root();
    Needs.programs("containerd", "ctr", "runc", "docker-registry");
    this.root = root;
    try {
      parts.add(this::unmountAll);
      node = parts.add(new DirectoryNode(root.resolve("node")));
      containerd =
          parts.add(ContainerdProcess.start(root.resolve("c"), Map.of("soci", node.socket())));
      parts.add(this::endContainers);
      registry = parts.add(DockerRegistry.startQuiet(root, null));
      HttpRegistries registries = parts.add(OpenRegistries.at(registry.host()));
      repository = registries.repository(new RepositoryName(registry.host(), "team/app"));
      trees = trees(root);
      ref = registry.host() + "/team/app:1";
      image = push();
    } catch (Exception e) {
      parts.close();
      throw e;
    }
  }

  private static List<Path> trees(Path root) throws Exception {
    Path base = Files.createDirectories(root.resolve("base"));
    MadeImage.copyProgram(Path.of("/usr/bin/cat"), base);
    Path second = Files.createDirectories(root.resolve("second/etc")).getParent();
    Files.writeString(second.resolve("etc/greeting"), "hello from the second layer\n");
    byte[] noise = new byte[3_000_000];
    new Random(4).nextBytes(noise);
    Files.write(second.resolve("noise"), noise);
    Path third = Files.createDirectories(root.resolve("third/etc")).getParent();
    Files.writeString(third.resolve("etc/greeting"), GREETING);
    return List.of(base, second, third);
  }

  private MadeImage push() throws Exception {
    MadeImage made = MadeImage.of(trees, List.of("/usr/bin/cat", "/etc/greeting"));
    made.push(repository, "1");
    return made;
  }

  /** The image that the tag was last pushed for. */
  MadeImage image() {
    return image;
  }

  /** Pushes the same tag with another greeting in its third layer. */
  void pushAgain(String greeting) throws Exception {
    Files.writeString(trees.get(2).resolve("etc/greeting"), greeting);
    image = push();
  }

  /** Makes layers lazy, counted from the base, which is 0. */
  void serve(int... layers) {
    for (int layer : layers) {
      node.serve(layer(layer), trees.get(layer));
    }
  }

  Digest layer(int number) {
    return image.manifest().layers().get(number).digest();
  }

  /** {@code soci rpull} in this process. */
  Result rpull(String... arguments) {
    return SociCommand.run(
        Stream.concat(
                Stream.of("rpull", "-a", containerd.socket().toString()), Arrays.stream(arguments))
            .toArray(String[]::new));
  }

  /** Pulls the image, which has to succeed; gives what {@code --json} prints. */
  JsonNode pulled(String... more) throws IOException {
    List<String> all = new ArrayList<>(List.of(more));
    all.addAll(List.of("--json", ref));
    return new JsonMapper().readTree(rpull(all.toArray(String[]::new)).success());
  }

  /** {@code soci rpull} of the image as a process of its own, which prints into a file. */
  Process rpullProcess(Path printed) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            "-XX:+UseSerialGC",
            Soci.class.getName(),
            "rpull",
            "-a",
            containerd.socket().toString(),
            ref)
        .redirectErrorStream(true)
        .redirectOutput(printed.toFile())
        .start();
  }

  /** What a container of the image prints. */
  String run() throws Exception {
    return run("soci", ref).success();
  }

  Result run(String snapshotter, String image) throws Exception {
    return containerd.ctr("run", "--rm", "--snapshotter", snapshotter, image, "c1");
  }

  List<String> images() throws Exception {
    return lines("images", "ls", "-q");
  }

  List<String> blobs() throws Exception {
    return lines("content", "ls", "-q");
  }

  List<String> leases() throws Exception {
    return lines("leases", "ls", "-q");
  }

  /** Lines of containerd's list of our snapshots. */
  List<String> snapshots() throws Exception {
    List<String> table = lines("snapshots", "--snapshotter", "soci", "ls");
    return table.subList(1, table.size());
  }

  private List<String> lines(String... command) throws Exception {
    return containerd.ctr(command).success().lines().toList();
  }

  /** Lets containerd collect garbage before this returns. */
  void collectGarbage() throws Exception {
    containerd.ctr("leases", "create", "--id", "garbage").success();
    containerd.ctr("leases", "rm", "--sync", "garbage").success();
  }

  private void endContainers() throws Exception {
    if (!containerd.isRunning()) {
      return; // a test ended it, without a container
    }
    for (String container : containerd.ctr("containers", "ls", "-q").out().lines().toList()) {
      containerd.ctr("tasks", "rm", "--force", container);
      containerd.ctr("containers", "rm", container);
    }
  }

  private void unmountAll() throws Exception {
    for (String mount : Files.readAllLines(Path.of("/proc/self/mounts"))) {
      String target = mount.split(" ", 3)[1];
      if (target.startsWith(root + "/")) {
        ContainerdProcess.run(List.of("umount", "-l", target));
      }
    }
  }

  @Override
  public void close() {
    parts.close();
  }
}
