package dev.socifleet.ztoc.streams;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs what is installed. */
public final class Commands {
  private Commands() {}

  public static boolean installed(String command) {
    for (String directory : System.getenv().getOrDefault("PATH", "/usr/bin").split(":")) {
      if (Files.isExecutable(Path.of(directory, command))) {
        return true;
      }
    }
    return false;
  }

  /** Standard output of a command that gets a file as its standard input. */
  public static byte[] output(List<String> command, Path input) throws IOException {
    Process process =
        new ProcessBuilder(command)
            .redirectInput(input.toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      byte[] output = process.getInputStream().readAllBytes();
      if (!process.waitFor(300, TimeUnit.SECONDS) || process.exitValue() != 0) {
        throw new IOException(command + " failed");
      }
      return output;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    } finally {
      process.destroyForcibly();
    }
  }

  /**
   * Compiles one of {@code src/test/c}, which needs gcc and zlib's header.
   *
   * @return the program
   */
  public static Path compiled(String name, Path directory) throws IOException {
    Path program = directory.resolve(name);
    output(
        List.of("gcc", "-O2", "-o", program.toString(), "src/test/c/" + name + ".c", "-lz"),
        Path.of("/dev/null"));
    return program;
  }

  /** Whether {@link #compiled} can work. */
  public static boolean canCompile() {
    return installed("gcc") && Files.exists(Path.of("/usr/include/zlib.h"));
  }
}
