package dev.socifleet.cli.install;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.cli.RunSoci;
import dev.socifleet.cli.Soci;
import dev.socifleet.testing.Needs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The command on the PATH, with what this build has made. */
@Timeout(1200)
class InstallIT {
  private static final Path CHECKOUT = Path.of("..").toAbsolutePath().normalize();
  private static final String NOBODY = "65534";

  @TempDir Path directory;
  private Path prefix;

  private record Ended(int status, String out, String err) {}

  @BeforeAll
  static void isPackaged() {
    Needs.met(Files.exists(Path.of("target/cli-1.0.0.jar")), "the cli's jar isn't built");
  }

  @BeforeEach
  void open() throws IOException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    prefix = directory.resolve("prefix");
  }

  /** Runs a command in a directory that belongs to nobody in particular. */
  private Ended run(Map<String, String> environment, List<String> command) throws Exception {
    ProcessBuilder builder = new ProcessBuilder(command).directory(Path.of("/").toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().putAll(environment);
    Path out = directory.resolve("out");
    Path err = directory.resolve("err");
    Process process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
    try {
      process.getOutputStream().close();
      assertThat(process.waitFor(15, TimeUnit.MINUTES)).isTrue();
      return new Ended(process.exitValue(), Files.readString(out), Files.readString(err));
    } finally {
      process.destroyForcibly();
    }
  }

  private Ended checkout(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(CHECKOUT.resolve("soci").toString()));
    command.addAll(List.of(arguments));
    return run(Map.of("SOCI_BUILD", "no"), command);
  }

  private Ended install(String... more) throws Exception {
    List<String> arguments = new ArrayList<>(List.of("install", "--prefix", prefix.toString()));
    arguments.addAll(List.of(more));
    return checkout(arguments.toArray(String[]::new));
  }

  /** The command in this process, as the checkout's launcher would have it. */
  private static Ended here(Object... arguments) {
    System.setProperty("soci.home", CHECKOUT.toString());
    try {
      RunSoci.Ended ended =
          RunSoci.soci(Stream.of(arguments).map(Object::toString).toArray(String[]::new));
      return new Ended(ended.exit(), ended.out(), ended.err());
    } finally {
      System.clearProperty("soci.home");
    }
  }

  /** As a shell finds it, of a user who may write nowhere that matters. */
  private Ended asNobody(String command) throws Exception {
    return run(
        Map.of("PATH", prefix.resolve("bin") + ":" + System.getenv("PATH"), "HOME", "/"),
        List.of(
            "setpriv",
            "--reuid",
            NOBODY,
            "--regid",
            NOBODY,
            "--clear-groups",
            "sh",
            "-c",
            command));
  }

  private static Set<String> files(Path root) throws IOException {
    try (Stream<Path> all = Files.walk(root)) {
      return all.filter(file -> !Files.isDirectory(file))
          .map(file -> root.relativize(file).toString())
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  @Test
  void aLinkWorksFromAnyDirectory() throws Exception {
    Ended installed = install();

    assertThat(installed.status()).as(installed.err()).isZero();
    assertThat(files(prefix))
        .containsExactly(
            "bin/soci", "share/bash-completion/completions/soci", "share/man/man1/soci.1");
    assertThat(prefix.resolve("bin/soci")).isSymbolicLink();
    Ended version =
        run(
            Map.of("SOCI_BUILD", "no", "PATH", prefix.resolve("bin") + ":" + System.getenv("PATH")),
            List.of("sh", "-c", "soci --version"));
    assertThat(version.out()).isEqualTo("soci version " + Soci.VERSION + " soci-fleet\n");
    assertThat(version.err()).isEmpty();
  }

  @Test
  void theManualHasEveryCommandsHelp() throws Exception {
    assertThat(here("install", "--prefix", prefix).status()).isZero();

    String manual = Files.readString(prefix.resolve("share/man/man1/soci.1"));
    assertThat(manual).startsWith(".TH SOCI 1 ");
    assertThat(manual.lines().filter(line -> line.startsWith(".SH ")))
        .contains(".SH NAME", ".SH SOCI INDEX CREATE", ".SH SOCI ZTOC GET-FILE");
    // Nothing in it is taken for a request of roff's by mistake.
    assertThat(manual.lines().filter(line -> line.startsWith(".") || line.startsWith("'")))
        .allMatch(line -> line.matches("\\.(TH|SH|nf|fi)( .*)?"));
    // Nor for a sign that only looks like it: ~/.local is copied into a shell.
    assertThat(manual).contains("\\(ti/.local").doesNotContain("~", "^", "`");
    Ended bash =
        run(Map.of(), List.of("bash", "-n", prefix + "/share/bash-completion/completions/soci"));
    assertThat(bash.err()).isEmpty();
  }

  @Test
  void itCanBeDoneAgainAndUndone() throws Exception {
    assertThat(here("install", "--prefix", prefix).status()).isZero();
    assertThat(here("install", "--prefix", prefix).status()).isZero();

    Ended gone = here("uninstall", "--prefix", prefix);
    Ended again = here("uninstall", "--prefix", prefix);

    assertThat(gone.out().lines()).hasSize(3).allMatch(line -> line.startsWith("removed "));
    assertThat(files(prefix)).isEmpty();
    assertThat(again.status()).isEqualTo(1);
    assertThat(again.err()).startsWith("soci: soci isn't installed in " + prefix).hasLineCount(1);
  }

  @Test
  void anotherProgramIsNotOverwrittenAndComesBack() throws Exception {
    Path program = prefix.resolve("bin/soci");
    Files.createDirectories(program.getParent());
    Files.writeString(program, "the existing tool");

    for (Ended refused :
        List.of(
            here("install", "--prefix", prefix), here("install", "--copy", "--prefix", prefix))) {
      assertThat(refused.status()).isEqualTo(1);
      assertThat(refused.err()).contains("is another program; --force").hasLineCount(1);
    }
    assertThat(program).hasContent("the existing tool");
    assertThat(files(prefix)).containsExactly("bin/soci");

    assertThat(here("install", "--prefix", prefix, "--force").status()).isZero();
    assertThat(program).isSymbolicLink();
    assertThat(here("uninstall", "--prefix", prefix).status()).isZero();
    assertThat(program).hasContent("the existing tool");
    assertThat(files(prefix)).containsExactly("bin/soci");
  }

  /** The copy has its archive from the installation; another user only reads it. */
  @Test
  void aCopyWorksForAUserWhoMayWriteNothing() throws Exception {
    Needs.root(); // only root can become another user
    Path closed = Files.createDirectory(directory.resolve("closed"));
    Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));
    assertThat(install("--copy").status()).isZero();
    Path copy = prefix.resolve("lib/soci-fleet");
    Ended trained = run(Map.of(), List.of(copy.resolve("soci").toString(), "--help"));
    assertThat(trained.status()).as(trained.err()).isZero();
    assertThat(copy.resolve(".soci-build/commands.aot")).exists();
    Set<String> before = files(copy);
    Path layer = directory.resolve("layer.tar");
    try (var tar = InstallIT.class.getResourceAsStream("/layers/two-files.tar")) {
      Files.copy(Objects.requireNonNull(tar), layer);
    }

    assertThat(asNobody("touch " + copy + "/x").status()).isNotZero();
    Ended built = asNobody("soci ztoc build " + layer + " --output /dev/null --json");

    assertThat(built.err()).isEmpty();
    assertThat(built.out()).startsWith("{\"digest\":\"sha256:");
    assertThat(asNobody("soci --version").out()).startsWith("soci version ");
    Ended denied = asNobody("soci install --prefix " + closed);
    assertThat(denied.status()).isEqualTo(1);
    assertThat(denied.err()).contains("permission denied; run as root").hasLineCount(1);
    assertThat(files(copy)).isEqualTo(before);
    assertThat(checkout("uninstall", "--prefix", prefix.toString()).status()).isZero();
    assertThat(Files.exists(copy, LinkOption.NOFOLLOW_LINKS)).isFalse();
  }

  /** A checkout whose owner hasn't built it since a pull goes on working for others. */
  @Test
  void whoCannotRenewTheBuildRunsWhatIsThere() throws Exception {
    Needs.root();
    assertThat(install("--copy").status()).isZero();
    Path copy = prefix.resolve("lib/soci-fleet");
    Files.createDirectories(copy.resolve(".soci-build"));
    Files.createFile(copy.resolve(".soci-build/built"));
    for (String source : List.of("lib", ".mvn", "ingest", "indexer", "pusher", "fetch-cache")) {
      Files.createDirectories(copy.resolve(source));
    }
    Files.createDirectories(copy.resolve("snapshotter-node"));
    Files.write(copy.resolve("pom.xml"), "newer".getBytes(StandardCharsets.UTF_8));
    Files.setLastModifiedTime(
        copy.resolve("pom.xml"), FileTime.from(Instant.now().plusSeconds(60)));

    Ended version = asNobody("soci --version");

    assertThat(version.out()).startsWith("soci version ");
    assertThat(version.err())
        .startsWith("soci: warning: the sources are newer than the build")
        .hasLineCount(1);
  }
}
