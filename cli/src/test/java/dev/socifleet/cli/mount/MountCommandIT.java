package dev.socifleet.cli.mount;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.node.mounts.MountedImage;
import dev.socifleet.node.mounts.MountedImage.MountedLayer;
import dev.socifleet.testing.Needs;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The commands on real overlay mounts, beside a node that only answers. Needs root. */
class MountCommandIT {
  @TempDir Path directory;
  private FakeNode node;
  private Path target;

  /** What a command printed, and how it ended. */
  private record Ended(int status, String out, String failure) {}

  @BeforeEach
  void start() throws IOException {
    Needs.root();
    directory = directory.toRealPath();
    node = new FakeNode(directory.resolve("control.sock"));
    target = directory.resolve("a target");
  }

  @AfterEach
  void stop() throws Exception {
    if (node != null) {
      node.close();
      while (OverlayMount.idAt(target).isPresent()) {
        OverlayMount.unmount(target, true);
      }
    }
  }

  @Test
  void anImageIsMountedReadOnlyAndUnmounted() throws Exception {
    node.holds(image(2));

    Ended mounted = mount("registry.test/app:1", target.toString());

    assertThat(mounted.status()).isZero();
    assertThat(mounted.out()).contains("registry.test/app:1 is mounted at " + target);
    assertThat(mounted.out()).contains("layers read lazily: 1").contains("no zTOC");
    assertThat(target.resolve("layer0")).hasContent("0");
    assertThat(target.resolve("same")).hasContent("1");
    assertThat(Files.isWritable(target.resolve("same"))).isFalse();
    assertThat(mountOptions()).contains("nosuid").contains("nodev").contains("ro");

    assertThat(unmount(target.toString()).status()).isZero();
    assertThat(target).isEmptyDirectory();
    assertThat(node.requests())
        .containsExactly(
            "POST /v1/mounts { \"image\" : \"registry.test/app:1\", \"platform\" : \"\" }",
            "DELETE /v1/mounts/abc123");
  }

  @Test
  void aHundredAndTwentyEightLayersFitTheOptions() throws Exception {
    node.holds(image(128));

    assertThat(mount("registry.test/app:1", target.toString()).failure()).isEmpty();

    assertThat(target.resolve("layer0")).hasContent("0");
    assertThat(target.resolve("layer127")).hasContent("127");
  }

  @Test
  void changesStayWhereTheyWereToldTo() throws Exception {
    node.holds(image(2));
    Path changes = directory.resolve("changes");

    mount("registry.test/app:1", target.toString(), "--writable", changes.toString());
    Files.writeString(target.resolve("same"), "changed");
    assertThat(Files.getAttribute(target, "unix:mode", LinkOption.NOFOLLOW_LINKS))
        .isEqualTo(0040750);
    unmount(target.toString());

    assertThat(changes.resolve("fs/same")).hasContent("changed");
    assertThat(directory.resolve("snapshots/l/1/same")).hasContent("1");
    mount("registry.test/app:1", target.toString(), "--writable", changes.toString());
    assertThat(target.resolve("same")).hasContent("changed");
  }

  @Test
  void aMountThatFailsGivesTheLayersBack() throws Exception {
    MountedImage good = image(2);
    node.holds(
        new MountedImage(
            good.id(),
            good.image(),
            good.manifest(),
            List.of("/does/not/exist", "/neither/does"),
            good.root(),
            good.layers()));

    Ended failed = mount("registry.test/app:1", target.toString());

    assertThat(failed.status()).isNotZero();
    assertThat(failed.failure()).isNotBlank();
    assertThat(node.requests()).last().isEqualTo("DELETE /v1/mounts/abc123");
    assertThat(target).doesNotExist();
  }

  @Test
  void whatIsMountedEndsWithANodeThatWillNotComeBack() throws Exception {
    node.holds(image(2));
    mount("registry.test/app:1", target.toString());
    try (var file = Files.newInputStream(target.resolve("layer0"))) { // in use
      new ImageMounts(node.socket()).close();
      assertThat(file.read()).isEqualTo('0');
    }

    assertThat(target).isEmptyDirectory();
    assertThat(node.requests()).last().isEqualTo("DELETE /v1/mounts/abc123");
  }

  @Test
  void anUnmountSaysWhenTheNodeIsAway() throws Exception {
    node.holds(image(2));
    String hint = mount("registry.test/app:1", target.toString()).out();
    assertThat(hint).contains("unmount --node " + node.socket() + " '" + target + "'");
    node.close();

    assertThat(unmount(target.toString()).failure())
        .contains(target + " is unmounted")
        .contains("cannot reach the node");
    assertThat(target).isEmptyDirectory();
  }

  @Test
  void whatTheNodeRefusesIsSaidInItsWords() throws Exception {
    assertThat(mount("registry.test/none:1", target.toString()).failure())
        .isEqualTo("there is no such image");
    Path nobody = directory.resolve("nobody.sock");
    assertThat(run(nobody, new MountCommand(), "registry.test/none:1", target.toString()).failure())
        .contains("cannot reach the node")
        .contains("is it running");
  }

  @Test
  void aSecondImageIsNotMountedOverTheFirst() throws Exception {
    node.holds(image(2));
    mount("registry.test/app:1", target.toString());

    assertThat(mount("registry.test/app:1", target.toString()).failure())
        .contains("already")
        .contains("soci unmount");
  }

  @Test
  void onlyWhatSociMountedIsUnmounted() throws Exception {
    Files.createDirectories(target);

    assertThat(unmount(target.toString()).failure()).contains("no image is mounted");
    assertThat(unmount("/proc").failure()).contains("no image is mounted");
    assertThat(node.requests()).isEmpty();
  }

  @Test
  void theJsonNamesEveryLayer() throws Exception {
    node.holds(image(2));

    String json = mount("registry.test/app:1", target.toString(), "--json").out();

    assertThat(json.lines()).hasSize(1);
    assertThat(json).contains("\"directory\":\"" + target + "\"").contains("\"id\":\"abc123\"");
  }

  /** Layers that each have a file of their own and one that they share; the last is unpacked. */
  private MountedImage image(int count) throws IOException {
    List<String> lower = new ArrayList<>();
    List<MountedLayer> layers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Path layer = Files.createDirectories(directory.resolve("snapshots/l/" + i));
      Files.writeString(layer.resolve("layer" + i), Integer.toString(i));
      Files.writeString(layer.resolve("same"), Integer.toString(i));
      lower.addFirst(layer.toString());
      boolean lazy = i < count - 1;
      layers.add(
          new MountedLayer(
              "sha256:" + i,
              "",
              10,
              lazy,
              lazy ? "lazy" : "no-ztoc",
              lazy ? "read lazily" : "it has no zTOC",
              layer.toString()));
    }
    return new MountedImage(
        "abc123",
        "registry.test/app:1",
        "sha256:m",
        lower,
        new MountedImage.Root(0750, 0, 0),
        layers);
  }

  private String mountOptions() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
        .filter(line -> line.contains("soci:abc123"))
        .reduce((first, last) -> last)
        .orElseThrow();
  }

  private Ended mount(String... arguments) {
    return run(node.socket(), new MountCommand(), arguments);
  }

  private Ended unmount(String... arguments) {
    return run(node.socket(), new UnmountCommand(), arguments);
  }

  private static Ended run(Path socket, Callable<Integer> command, String... arguments) {
    StringWriter out = new StringWriter();
    StringBuilder failure = new StringBuilder();
    List<String> all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of("--node", socket.toString()));
    int status =
        new CommandLine(command)
            .setOut(new PrintWriter(out))
            .setExecutionExceptionHandler((e, line, parsed) -> {
              failure.append(e.getMessage());
              return 1;
            })
            .execute(all.toArray(String[]::new));
    return new Ended(status, out.toString(), failure.toString());
  }
}
