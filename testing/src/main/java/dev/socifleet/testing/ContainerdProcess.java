package dev.socifleet.testing;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A containerd of its own: root, state and socket in one directory, without the CRI plugin. Needs
 * root and Debian's {@code containerd} and {@code runc}.
 */
public final class ContainerdProcess implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  /** What a command printed, and how it ended. */
  public record Result(int status, String out, String err) {
    /** The output of a command that had to succeed. */
    public String success() {
      if (status != 0) {
        throw new AssertionError("status " + status + "\n" + out + "\n" + err);
      }
      return out;
    }
  }

  private final Path directory;
  private final Process process;

  private ContainerdProcess(Path directory, Process process) {
    this.directory = directory;
    this.process = process;
  }

  /**
   * Starts containerd in {@code directory}, which may hold the state of an earlier one.
   *
   * @param snapshotters sockets of proxy snapshotters by the names that containerd gives them
   */
  public static ContainerdProcess start(Path directory, Map<String, Path> snapshotters)
      throws IOException, InterruptedException {
    Files.createDirectories(directory);
    StringBuilder config =
        new StringBuilder(
            """
            version = 2
            root = "%1$s/root"
            state = "%1$s/state"
            disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.devmapper",
              "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.aufs",
              "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt"]
            [grpc]
              address = "%1$s/containerd.sock"
            [proxy_plugins]
            """
                .formatted(directory));
    snapshotters.forEach((name, socket) ->
        config
            .append("  [proxy_plugins." + name + "]\n    type = \"snapshot\"\n")
            .append("    address = \"" + socket + "\"\n"));
    Path file = directory.resolve("config.toml");
    Files.writeString(file, config);
    Process process =
        new ProcessBuilder("containerd", "--config", file.toString(), "--log-level", "debug")
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(directory.resolve("log").toFile()))
            .start();
    ContainerdProcess containerd = new ContainerdProcess(directory, process);
    try {
      containerd.awaitSocket();
      return containerd;
    } catch (IOException | InterruptedException e) {
      containerd.close();
      throw e;
    }
  }

  private void awaitSocket() throws IOException, InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (System.nanoTime() < deadline && process.isAlive()) {
      try {
        SocketChannel.open(UnixDomainSocketAddress.of(socket())).close();
        return;
      } catch (IOException e) {
        Thread.sleep(50);
      }
    }
    throw new IOException("containerd doesn't listen on " + socket() + ":\n" + log());
  }

  public boolean isRunning() {
    return process.isAlive();
  }

  /** Where it listens. */
  public Path socket() {
    return directory.resolve("containerd.sock");
  }

  /** Everything that it logged. */
  public String log() throws IOException {
    return Files.readString(directory.resolve("log"));
  }

  /** Runs containerd's own client. */
  public Result ctr(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("ctr", "--address", socket().toString()));
    command.addAll(List.of(arguments));
    return run(command);
  }

  /** Runs a command to its end. */
  public static Result run(List<String> command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command).redirectInput(Path.of("/dev/null").toFile()).start();
    StringBuilder err = new StringBuilder();
    Thread errors =
        Thread.ofVirtual()
            .start(() -> {
              try {
                err.append(
                    new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8));
              } catch (IOException e) {
                err.append(e);
              }
            });
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new IOException("did not end: " + command);
    }
    errors.join();
    return new Result(process.exitValue(), out, err.toString());
  }

  /** Ends it in order; containers that still run are left to the caller. */
  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor(); // its directory may be deleted from now on
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
