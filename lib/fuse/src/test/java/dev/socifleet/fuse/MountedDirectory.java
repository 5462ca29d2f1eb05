package dev.socifleet.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Directories to mount on, and programs that use them. Tests never touch a mount themselves but let
 * a program do it, which can be killed when a mount hangs. After each test, programs are ended and
 * all is unmounted, whatever happened.
 */
final class MountedDirectory implements BeforeEachCallback, AfterEachCallback {
  private static final long PATIENCE_SECONDS = 300;
  private static final int CAP_SYS_ADMIN = 21;

  /** What a program wrote, and its end. */
  record Result(int code, String out, String err) {
    String lines() {
      assertThat(code).as(err).isZero();
      return out.strip();
    }
  }

  private record Output(Path out, Path err) {}

  private @Nullable Path base;
  private final List<FuseMount> mounts = new ArrayList<>();
  private final Map<Process, Output> processes = new HashMap<>();

  /** Skips the test where FUSE can't be mounted, but fails it under CI. */
  @Override
  public void beforeEach(ExtensionContext context) throws IOException {
    boolean able = mayMount();
    assertThat(able || !"true".equals(System.getenv("CI")))
        .as("CI has CAP_SYS_ADMIN and /dev/fuse")
        .isTrue();
    assumeTrue(able, "mounting needs CAP_SYS_ADMIN and /dev/fuse");
    Path made = Files.createTempDirectory("fuse-it").toRealPath();
    // Other users come in, too.
    Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rwxr-xr-x"));
    base = made;
  }

  private static boolean mayMount() throws IOException {
    int fd = Native.open(Device.PATH);
    if (fd >= 0) {
      Native.close(fd);
    }
    return fd >= 0
        && Files.readAllLines(Path.of("/proc/self/status")).stream()
            .filter(line -> line.startsWith("CapEff:"))
            .map(line -> Long.parseUnsignedLong(line.substring(7).strip(), /* radix= */ 16))
            .anyMatch(capabilities -> (capabilities >>> CAP_SYS_ADMIN & 1) == 1);
  }

  Path base() {
    return Objects.requireNonNull(base);
  }

  Path directory(String name) throws IOException {
    return Files.createDirectories(base().resolve(name));
  }

  FuseMount mount(String name, FileSystem files) throws IOException {
    return mount(name, files, FuseMount.Options.of("test", "in-memory"));
  }

  FuseMount mount(String name, FileSystem files, FuseMount.Options options) throws IOException {
    FuseMount mount = FuseMount.start(directory(name), files, options);
    mounts.add(mount);
    return mount;
  }

  /** Starts a shell command in the base directory; it is killed at the end if it still runs. */
  Process start(String command) throws IOException {
    Path out = Files.createTempFile(base(), "out", "");
    Path err = Files.createTempFile(base(), "err", "");
    Process process =
        new ProcessBuilder("sh", "-c", command)
            .directory(base().toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    processes.put(process, new Output(out, err));
    return process;
  }

  /** Starts a main class of the tests, by a command that goes before {@code java}. */
  Process startJava(String before, Class<?> main, String argument) throws IOException {
    Path arguments = base().resolve(main.getSimpleName());
    Files.writeString(
        arguments,
        "-XX:+UseSerialGC --enable-native-access=ALL-UNNAMED -cp \"%s\" %s %s"
            .formatted(System.getProperty("java.class.path"), main.getName(), argument));
    return start(
        "exec %s%s/bin/java @%s".formatted(before, System.getProperty("java.home"), arguments));
  }

  /** Waits for a process's end and returns its exit code. */
  int end(Process process) throws InterruptedException {
    assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS))
        .as("%s ends", process.info())
        .isTrue();
    return process.exitValue();
  }

  String output(Process process) throws IOException {
    return read(outputOf(process).out());
  }

  String errors(Process process) throws IOException {
    return read(outputOf(process).err());
  }

  private Output outputOf(Process process) {
    return Objects.requireNonNull(processes.get(process));
  }

  private static String read(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
  }

  /** Waits for a condition. */
  void until(Callable<Boolean> condition) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (!condition.call()) {
      assertThat(System.nanoTime() - deadline).as("it never came true").isNegative();
      Thread.sleep(5);
    }
  }

  /** Runs a shell command in the base directory to its end. */
  Result run(String command) throws IOException, InterruptedException {
    Process process = start(command);
    end(process);
    Output output = Objects.requireNonNull(processes.remove(process));
    Result result = new Result(process.exitValue(), read(output.out()), read(output.err()));
    Files.delete(output.out());
    Files.delete(output.err());
    return result;
  }

  @Override
  public void afterEach(ExtensionContext context) throws IOException {
    if (base == null) {
      return;
    }
    processes.keySet().forEach(Process::destroyForcibly);
    for (FuseMount mount : mounts.reversed()) {
      mount.close();
    }
    detachLeftovers();
    Files.walkFileTree(
        base(),
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException e)
              throws IOException {
            Files.delete(directory);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  private void detachLeftovers() throws IOException {
    List<MountTable.Entry> entries =
        MountTable.parse(Files.readString(Path.of("/proc/self/mountinfo")));
    for (MountTable.Entry entry : entries.reversed()) {
      if (entry.point().startsWith(base() + "/")) {
        var _ = Mounts.unmount(Path.of(entry.point()), Mounts.FORCE | Mounts.DETACH);
      }
    }
  }
}
