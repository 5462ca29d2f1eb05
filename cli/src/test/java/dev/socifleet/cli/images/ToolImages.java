package dev.socifleet.cli.images;

import dev.socifleet.testing.ContainerdProcess;
import dev.socifleet.testing.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Images that buildah, skopeo and umoci make, as layouts; nothing is downloaded. Needs root. */
final class ToolImages {
  private static final List<String> TOOLS = List.of("buildah", "skopeo", "umoci");

  private final Path directory;
  private final Map<String, ImageFiles> made = new LinkedHashMap<>();

  private ToolImages(Path directory) {
    this.directory = directory;
  }

  /** By name; skips the test where a tool is missing. */
  static Map<String, ImageFiles> make(Path directory) throws Exception {
    need();
    ToolImages images = new ToolImages(directory);
    images.files();
    images.byBuildah();
    images.bySkopeo();
    images.byUmoci();
    return images.made;
  }

  private static void need() throws IOException {
    Needs.root();
    Needs.programs(TOOLS.toArray(String[]::new));
  }

  private static String run(String... command) throws IOException, InterruptedException {
    return ContainerdProcess.run(List.of(command)).success().strip();
  }

  private String buildah(String... arguments) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                "buildah",
                "--storage-driver",
                "vfs",
                "--root",
                directory.resolve("storage").toString(),
                "--runroot",
                directory.resolve("run").toString()));
    command.addAll(List.of(arguments));
    return run(command.toArray(String[]::new));
  }

  private String path(String name) {
    return directory.resolve(name).toString();
  }

  /** What the images hold. */
  private void files() throws IOException {
    Random random = new Random(42);
    for (String root : List.of("base", "app")) {
      Path bin = Files.createDirectories(directory.resolve(root).resolve("bin"));
      byte[] noise = new byte[300_000];
      random.nextBytes(noise);
      Files.write(bin.resolve(root + "-noise"), noise);
      Files.writeString(bin.resolve(root + "-text"), "a line of text\n".repeat(20_000));
      Files.createSymbolicLink(bin.resolve(root + "-link"), Path.of(root + "-text"));
      Files.createLink(bin.resolve(root + "-hard"), bin.resolve(root + "-text"));
    }
  }

  private void byBuildah() throws Exception {
    String base = buildah("from", "scratch");
    buildah("copy", base, path("base"), "/");
    buildah("config", "--env", "A=b", "--port", "80", "--volume", "/data", base);
    buildah("commit", "--quiet", base, "base");
    String app = buildah("from", "--pull-never", "base");
    buildah("copy", app, path("app"), "/");
    buildah("config", "--cmd", "[\"/bin/app\"]", "--label", "x=<y>&z", "--annotation", "k=v", app);
    buildah("commit", "--quiet", app, "app");
    String same = buildah("from", "--pull-never", "app");
    buildah("config", "--add-history", "--user", "1:1", same);
    buildah("commit", "--quiet", same, "nothing-new");

    for (String image : List.of("app", "nothing-new")) {
      buildah("push", "--quiet", image, "oci:" + path("buildah " + image) + ":1");
      made.put("buildah " + image, new ImageFiles(directory.resolve("buildah " + image)));
    }
    buildah("push", "--quiet", "--disable-compression", "app", "oci:" + path("tars") + ":1");
    made.put("buildah uncompressed", new ImageFiles(directory.resolve("tars")));
    // An OCI layout by these tools is OCI's to the last document; their directories keep Docker's.
    buildah("push", "--quiet", "--format", "v2s2", "app", "dir:" + path("buildah-docker"));
    made.put("buildah docker", fromDirectory("buildah-docker"));
    byPlatforms(app);
  }

  private void byPlatforms(String container) throws Exception {
    for (String format : List.of("oci", "docker")) {
      String list = "list-" + format;
      buildah("manifest", "create", list);
      for (String platform : List.of("amd64/", "arm64/v8", "arm/v7", "arm/v6")) {
        String architecture = platform.substring(0, platform.indexOf('/'));
        String variant = platform.substring(platform.indexOf('/') + 1);
        String image = (list + "-" + architecture + variant);
        buildah("config", "--arch", architecture, "--variant", variant, container);
        buildah("commit", "--quiet", "--format", format, container, image);
        buildah("manifest", "add", "--arch", architecture, "--variant", variant, list, image);
      }
      buildah("manifest", "push", "--quiet", "--all", list, "dir:" + path("buildah-" + list));
      made.put("buildah " + list, fromDirectory("buildah-" + list));
    }
  }

  private void bySkopeo() throws Exception {
    String app = "oci:" + path("buildah app") + ":1";
    skopeo(app, "docker-archive:" + path("docker.tar") + ":example.test/app:1");
    skopeo("docker-archive:" + path("docker.tar"), "oci:" + path("skopeo back") + ":1");
    made.put("skopeo back from docker-archive", new ImageFiles(directory.resolve("skopeo back")));
    skopeo("--format", "v2s2", app, "dir:" + path("skopeo-v2s2"));
    made.put("skopeo v2s2", fromDirectory("skopeo-v2s2"));
  }

  static void skopeo(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("skopeo", "copy", "--quiet"));
    command.addAll(List.of(arguments));
    run(command.toArray(String[]::new));
  }

  private void byUmoci() throws Exception {
    run("umoci", "init", "--layout", path("umoci"));
    run("umoci", "new", "--image", path("umoci") + ":1");
    run("umoci", "insert", "--image", path("umoci") + ":1", path("base/bin"), "/bin");
    run("umoci", "insert", "--image", path("umoci") + ":1", path("app/bin"), "/bin");
    run("umoci", "config", "--image", path("umoci") + ":1", "--config.cmd", "/bin/app");
    run("umoci", "gc", "--layout", path("umoci"));
    made.put("umoci", new ImageFiles(directory.resolve("umoci")));
  }

  private ImageFiles fromDirectory(String name) throws IOException {
    return ImageFiles.ofSkopeoDirectory(directory.resolve(name), directory.resolve(name + "-oci"));
  }
}
