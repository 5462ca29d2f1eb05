package dev.socifleet.cli.up;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node in a process of its own, so that whatever ends it doesn't end the rest: started again,
 * with growing pauses, when it dies, ended in order at the end. What it left mounted is detached
 * before each start and at the end.
 */
final class NodeProcess implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(NodeProcess.class);
  private static final Duration READY = Duration.ofMinutes(2);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(500);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

  /** A node that ran for so long wasn't broken from its start. */
  private static final Duration GOOD_RUN = Duration.ofMinutes(1);

  private static final Duration END = Duration.ofSeconds(20);

  /** As the launcher's. */
  private static final List<String> JVM_FLAGS =
      List.of(
          "-XX:+UseSerialGC",
          "-XX:+IgnoreUnrecognizedVMOptions",
          "-XX:-UseFPUForSpilling",
          "-Xlog:disable",
          "-Xlog:all=warning,aot*=off,cds*=off:stderr",
          "--enable-native-access=ALL-UNNAMED",
          "--sun-misc-unsafe-memory-access=allow",
          "-Duser.timezone=UTC");

  private final Path root;
  private final Path socket;
  private final Path log;
  private final List<String> command;
  private final Thread supervisor =
      Thread.ofPlatform().daemon().name("node-supervisor").unstarted(this::supervise);
  private final Object state = new Object();
  private Process process;
  private boolean ending;

  private NodeProcess(Path root, Path socket, Path log, List<String> command) throws IOException {
    this.root = root;
    this.socket = socket;
    this.log = log;
    this.command = command;
    process = spawn();
  }

  /**
   * Starts it and returns at once; see {@link #awaitReady()}.
   *
   * @param root its directory of state
   * @param socket where it serves containerd
   * @param log what its output is appended to
   * @param settings its settings but root and socket
   */
  static NodeProcess start(Path root, Path socket, Path log, Map<String, String> settings)
      throws IOException {
    Files.createDirectories(root);
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(JVM_FLAGS);
    String archive = System.getProperty("soci.archive"); // said by the launcher
    if (archive != null && Files.exists(Path.of(archive))) {
      command.add("-XX:AOTCache=" + archive);
    }
    command.add(NodeMain.class.getName());
    command.add("--root=" + root);
    command.add("--socket=" + socket);
    settings.forEach((key, value) -> command.add("--" + key + "=" + value));
    return new NodeProcess(root, socket, log, command);
  }

  private Process spawn() throws IOException {
    Mounts.detachBelow(root);
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    // Not an argument: process lists stay readable.
    builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
    return builder.start();
  }

  /** The process that serves now, or served last. */
  long pid() {
    synchronized (state) {
      return process.pid();
    }
  }

  /**
   * Waits until it serves, and looks after it from then on; a node that ends or hangs instead is a
   * failure that tells what it said last.
   */
  void awaitReady() throws IOException, InterruptedException {
    long deadline = System.nanoTime() + READY.toNanos();
    while (System.nanoTime() < deadline && process.isAlive()) {
      try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
        channel.connect(UnixDomainSocketAddress.of(socket));
        supervisor.start();
        return;
      } catch (IOException e) {
        Thread.sleep(50); // it doesn't listen yet
      }
    }
    throw new IOException(
        "the node does not serve " + socket + "; " + log + " ends with: " + lastLine());
  }

  private String lastLine() throws IOException {
    List<String> lines = Files.exists(log) ? Files.readAllLines(log) : List.of();
    return lines.isEmpty() ? "nothing" : lines.getLast();
  }

  private void supervise() {
    Duration pause = FIRST_PAUSE;
    Process running;
    synchronized (state) {
      running = process;
    }
    while (true) {
      try {
        long started = System.nanoTime();
        int status = running.waitFor();
        synchronized (state) {
          if (ending) {
            return;
          }
          boolean good = System.nanoTime() - started > GOOD_RUN.toNanos();
          pause = good ? FIRST_PAUSE : pause;
          LOG.warn(
              "the node ended with status {}; it is started again in {} ms (its log is {})",
              status,
              pause.toMillis(),
              log);
          state.wait(pause.toMillis());
          if (ending) {
            return;
          }
          Duration doubled = pause.multipliedBy(2);
          pause = doubled.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : doubled;
          process = spawn();
          running = process;
        }
      } catch (IOException e) {
        LOG.error("the node can't be started: {}", e.getMessage());
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  @Override
  public void close() throws IOException {
    Process last;
    synchronized (state) {
      ending = true;
      state.notifyAll();
      last = process;
    }
    last.destroy();
    try {
      if (!last.waitFor(END.toMillis(), TimeUnit.MILLISECONDS)) {
        LOG.warn("the node did not end within {} s and is killed", END.toSeconds());
        last.destroyForcibly().waitFor(5, TimeUnit.SECONDS);
      }
      supervisor.join(Duration.ofSeconds(5));
    } catch (InterruptedException e) {
      last.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    Mounts.detachBelow(root);
  }

  /** A port that is free now: the child's has to be known, over its restarts. */
  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
