package dev.socifleet.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.cli.RunSoci.Ended;
import dev.socifleet.cli.convert.Vectors;
import dev.socifleet.embedded.registry.SmallRegistry;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.testing.ContainerdProcess;
import dev.socifleet.testing.FreePort;
import dev.socifleet.testing.OpenRegistries;
import dev.socifleet.testing.PushedLayout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What every command makes of input that it can't use: a status, one line that says what is wrong
 * with what, and nothing that wasn't there before.
 */
@Timeout(600)
class BadInputIT {
  private static final String NO_DIGEST = "sha256:" + "0".repeat(64);

  @TempDir private static Path directory;
  private static SmallRegistry registry;
  private static SmallRegistry closed;
  private static String unreachable;

  /** The inputs. */
  private static Path in;

  /** What the commands may write to. */
  private static Path out;

  @BeforeAll
  static void prepare() throws Exception {
    in = Files.createDirectory(directory.resolve("in"));
    out = Files.createDirectory(directory.resolve("out"));
    Vectors vectors = new Vectors();
    Path image = vectors.copy("single", in.resolve("image"));
    tar(image, in.resolve("image.tar"));
    byte[] whole = Files.readAllBytes(in.resolve("image.tar"));
    Files.write(in.resolve("half.tar"), Arrays.copyOf(whole, whole.length / 2));
    Files.write(in.resolve("head.tar"), Arrays.copyOf(whole, 700));
    Files.writeString(in.resolve("text"), "no archive ".repeat(200));
    Files.createFile(in.resolve("nothing"));
    Files.createDirectory(in.resolve("empty"));
    Files.writeString(vectors.copy("single", in.resolve("bad-json")).resolve("index.json"), "{\"a");
    vectors.copy("missing-layer", in.resolve("lacking"));
    Path elsewhere = Files.createDirectory(directory.resolve("registries"));
    registry = SmallRegistry.start(SmallRegistry.Options.in(elsewhere.resolve("open")));
    closed =
        SmallRegistry.start(
            SmallRegistry.Options.in(elsewhere.resolve("closed"))
                .withUsers(List.of(SmallRegistry.User.of("user", "secret"))));
    unreachable = "127.0.0.1:" + FreePort.choose();
    try (HttpRegistries registries = OpenRegistries.at(registry.host())) {
      PushedLayout.push(
          image, registries.repository(RepositoryName.parse(registry.host() + "/app")), "1");
    }
  }

  @AfterAll
  static void close() {
    registry.close();
    closed.close();
  }

  private static void tar(Path layout, Path tar) throws IOException, InterruptedException {
    ContainerdProcess.run(List.of("tar", "-C", layout.toString(), "-cf", tar.toString(), "."))
        .success();
  }

  /**
   * One use of a command.
   *
   * @param words that its line has
   */
  private record Use(int exit, List<String> words, List<String> command) {
    static Use fails(List<String> words, Object... command) {
      return new Use(1, words, Stream.of(command).map(Object::toString).toList());
    }

    static Use isWrong(List<String> words, Object... command) {
      return new Use(2, words, Stream.of(command).map(Object::toString).toList());
    }

    DynamicTest test() {
      String name = String.join(" ", command).replace(directory.toString(), "");
      return DynamicTest.dynamicTest(
          name,
          () -> {
            Set<Path> before = tree();
            assertOneLine(RunSoci.soci(command), exit, words);
            assertThat(tree()).isEqualTo(before);
          });
    }
  }

  static void assertOneLine(Ended ended, int exit, List<String> words) {
    assertThat(ended.exit()).as(ended.out() + ended.err()).isEqualTo(exit);
    assertThat(ended.err()).startsWith("soci: ").hasLineCount(1);
    for (String word : words) {
      assertThat(ended.err()).contains(word);
    }
    assertThat(ended.err())
        .doesNotContainPattern("Exception|Error:|java\\.|\\bnull\\b|@[0-9a-f]{6}");
  }

  private static Set<Path> tree() throws IOException {
    try (Stream<Path> inside = Files.walk(in);
        Stream<Path> outside = Files.walk(out)) {
      return new TreeSet<>(Stream.concat(inside, outside).toList());
    }
  }

  @TestFactory
  Stream<DynamicTest> layoutsAndFiles() {
    List<Use> uses = new ArrayList<>();
    for (String format : List.of("oci-dir", "oci-archive")) {
      uses.add(convert("absent", format, "absent", "no such file"));
      uses.add(convert("text", format, "text", "is no tar"));
      uses.add(convert("nothing", format, "nothing", "no OCI image layout"));
      uses.add(convert("empty", format, "empty", "no OCI image layout"));
      uses.add(convert("half.tar", format, "half.tar", "Truncated"));
      uses.add(convert("head.tar", format, "head.tar"));
      uses.add(convert("bad-json", format, "isn't JSON"));
      uses.add(convert("lacking", format, "layer sha256:", "copy the whole image"));
    }
    Path image = in.resolve("image");
    Path to = out.resolve("to");
    uses.add(
        Use.fails(
            List.of("linux/s390x: not found", "--platform"),
            "convert",
            "--standalone",
            "--platform",
            "linux/s390x",
            image,
            to));
    uses.add(
        Use.fails(
            List.of("no ztocs created", "--min-layer-size"), "convert", "--standalone", image, to));
    uses.add(
        Use.isWrong(
            List.of("span size"), "convert", "--standalone", "--span-size", "0", image, to));
    uses.add(
        Use.isWrong(List.of("--format"), "convert", "--standalone", "--format", "x", image, to));
    uses.add(
        Use.fails(
            List.of("--digest-map"),
            "convert",
            "--standalone",
            "--min-layer-size",
            "0",
            "--digest-map",
            out.resolve("no/map"),
            image,
            to));
    uses.add(
        Use.fails(
            List.of(out.toString(), "is a directory"),
            "convert",
            "--standalone",
            "--min-layer-size",
            "0",
            image,
            out));
    uses.add(Use.isWrong(List.of("DESTINATION"), "convert", "--standalone", image));

    uses.add(Use.fails(List.of("absent", "no such file"), "ztoc", "build", in.resolve("absent")));
    uses.add(
        Use.fails(
            List.of("text", "cannot be indexed"), "ztoc", "build", in.resolve("text"), "-o", to));
    uses.add(
        Use.fails(
            List.of("no such directory"),
            "ztoc",
            "build",
            in.resolve("image.tar"),
            "-o",
            out.resolve("no/ztoc")));
    uses.add(Use.fails(List.of("text"), "ztoc", "verify", in.resolve("text"), in.resolve("text")));
    uses.add(Use.fails(List.of("text"), "ztoc", "info", in.resolve("text")));
    uses.add(Use.fails(List.of("text"), "ztoc", "list", in.resolve("text")));
    uses.add(
        Use.fails(
            List.of("text"),
            "ztoc",
            "get-file",
            in.resolve("text"),
            "x",
            "--layer",
            in.resolve("text"),
            "-o",
            to));
    return uses.stream().map(Use::test);
  }

  private static Use convert(String input, String format, String... words) {
    return Use.fails(
        List.of(words),
        "convert",
        "--standalone",
        "--format",
        format,
        "--min-layer-size",
        "0",
        in.resolve(input),
        out.resolve("to"));
  }

  @TestFactory
  Stream<DynamicTest> registries() {
    List<Use> uses = new ArrayList<>();
    for (List<String> command :
        List.of(List.of("index", "create"), List.of("verify"), List.of("explain"))) {
      uses.add(
          remote(1, List.of("there is no image", "check the name"), command, registry, "app:2"));
      uses.add(remote(1, List.of("there is no image"), command, registry, "other:1"));
      uses.add(remote(1, List.of("401", "--user"), command, closed, "app:1"));
      uses.add(
          remote(
              1,
              List.of("linux/s390x: not found"),
              with(command, "--platform", "linux/s390x"),
              registry,
              "app:1"));
      uses.add(
          remote(
              2, List.of("not a platform"), with(command, "--platform", "x"), registry, "app:1"));
      uses.add(
          remote(
              1,
              List.of("wrong", "401"),
              with(command, "--user", "wrong:password"),
              closed,
              "wrong:1"));
      uses.add(use(1, List.of(unreachable, "reachable"), with(command, unreachable + "/app:1")));
      uses.add(use(2, List.of("no image reference"), with(command, "Not A Reference")));
      uses.add(use(2, List.of("REF"), command));
    }
    return uses.stream().map(Use::test);
  }

  private static List<String> with(List<String> command, String... more) {
    return Stream.concat(command.stream(), Stream.of(more)).toList();
  }

  private static Use use(int exit, List<String> words, List<String> command) {
    return new Use(exit, words, command);
  }

  private static Use remote(
      int exit, List<String> words, List<String> command, SmallRegistry at, String image) {
    return use(exit, words, with(command, at.host() + "/" + image));
  }

  @TestFactory
  Stream<DynamicTest> withoutContainerd() {
    String socket = out.resolve("absent.sock").toString();
    List<String> here = List.of("--address", socket, "--root", out.resolve("root").toString());
    List<Use> uses = new ArrayList<>();
    for (List<String> command :
        List.of(
            List.of("create", "example.test/app:1"),
            List.of("convert", "example.test/app:1", "example.test/app:2"),
            List.of("push", "example.test/app:1"),
            List.of("index", "list"),
            List.of("index", "info", NO_DIGEST),
            List.of("index", "rm", NO_DIGEST),
            List.of("ztoc", "info", NO_DIGEST),
            List.of("ztoc", "get-file", NO_DIGEST, "x"),
            List.of("prefetch", "info", NO_DIGEST),
            List.of("rebuild-db"),
            List.of("rpull", registry.host() + "/app:1"))) {
      List<String> all = new ArrayList<>(here);
      all.addAll(command);
      uses.add(new Use(1, List.of(), all));
    }
    return uses.stream()
        .map(use ->
            DynamicTest.dynamicTest(
                String.join(" ", use.command.subList(4, use.command.size())),
                () -> {
                  Ended ended = RunSoci.soci(use.command);
                  assertOneLine(ended, 1, List.of());
                  assertThat(ended.err()).containsAnyOf(socket, NO_DIGEST);
                }));
  }

  @Test
  void withoutANode() throws Exception {
    Path socket = out.resolve("absent.sock");
    for (List<String> command :
        List.of(
            List.of("mount", "--node", socket.toString(), "example.test/app:1", out + "/mnt"),
            List.of("unmount", "--node", socket.toString(), out + "/mnt"))) {
      Set<Path> before = tree();
      assertOneLine(RunSoci.soci(command), 1, List.of());
      assertThat(tree()).isEqualTo(before);
    }
  }

  @Test
  void aFileThatFindsNoRoomIsntThere() throws Exception {
    Path layer;
    try (Stream<Path> blobs = Files.list(in.resolve("image/blobs/sha256"))) {
      layer = blobs.max(Comparator.comparingLong(blob -> blob.toFile().length())).orElseThrow();
    }
    Path ztoc = directory.resolve("ztoc");
    assertThat(RunSoci.soci("ztoc", "build", layer.toString(), "-o", ztoc.toString()).exit())
        .isZero();
    try (SmallDisk disk = SmallDisk.mount(directory.resolve("disk"), 8)) {
      String to = disk.path().resolve("to").toString();
      Ended built = RunSoci.soci("ztoc", "build", layer.toString(), "-o", to);
      assertOneLine(built, 1, List.of(to, "No space left on device", "make room"));
      assertThat(disk.files()).isEmpty();
    }
  }
}
