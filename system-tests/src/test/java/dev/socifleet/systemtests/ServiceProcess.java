package dev.socifleet.systemtests;

import dev.socifleet.testing.FreePort;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** One of our services as a process of its own, started by its main class. */
final class ServiceProcess implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  static final String TEMPORARY = "tmp";

  private static final HttpClient HTTP = HttpClient.newHttpClient();

  private final List<String> command;
  private final Path log;
  private final int adminPort;
  private Process process;

  private ServiceProcess(List<String> command, Path log, int adminPort) throws IOException {
    this.command = command;
    this.log = log;
    this.adminPort = adminPort;
    process = run(command, log);
  }

  /** Starts it and waits until it says that it is ready. */
  static ServiceProcess start(String main, Map<String, String> settings, Path directory)
      throws IOException, InterruptedException {
    int adminPort = FreePort.choose();
    Map<String, String> all = new TreeMap<>(settings);
    all.put("admin.listen", "127.0.0.1:" + adminPort);
    Path log = directory.resolve(main.substring(main.lastIndexOf('.') + 1) + "-" + adminPort);
    ServiceProcess service =
        new ServiceProcess(command(main, arguments(all), temporary(directory)), log, adminPort);
    service.awaitReady();
    return service;
  }

  /** The flag for a directory of temporary files that processes of a directory share. */
  static String temporary(Path directory) throws IOException {
    return "-Djava.io.tmpdir=" + Files.createDirectories(directory.resolve(TEMPORARY));
  }

  private static List<String> arguments(Map<String, String> settings) {
    return settings.entrySet().stream().map(e -> "--" + e.getKey() + "=" + e.getValue()).toList();
  }

  /**
   * A command line that runs a main class of the class path of these tests, in a JVM with flags.
   */
  static List<String> command(String main, List<String> arguments, String... jvm) {
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-Xmx512m",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Duser.timezone=UTC"));
    command.addAll(List.of(jvm));
    command.addAll(List.of("-cp", classPath, main));
    command.addAll(arguments);
    return command;
  }

  static Process run(List<String> command, Path log) throws IOException {
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
        .start();
  }

  private void awaitReady() throws IOException, InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (System.nanoTime() < deadline && process.isAlive()) {
      try {
        if (get("/readyz").statusCode() == 200) {
          return;
        }
      } catch (IOException e) {
        // not listening yet
      }
      Thread.sleep(100);
    }
    process.destroyForcibly();
    throw new IOException(log.getFileName() + " did not get ready:\n" + log());
  }

  private HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return HTTP.send(
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + adminPort + path))
            .timeout(Duration.ofMinutes(1))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  /**
   * The sum of a metric over its tags; 0 where there is none.
   *
   * @param name with or without the ending that counters have in the text format
   * @param tags {@code key="value"} that a line must have to count
   */
  double metric(String name, String... tags) throws IOException, InterruptedException {
    String counter = name + "_total";
    return get("/metrics")
        .body()
        .lines()
        .filter(line -> {
          String metric = line.split("[{ ]", 2)[0];
          return metric.equals(name) || metric.equals(counter);
        })
        .filter(line -> List.of(tags).stream().allMatch(line::contains))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }

  String log() throws IOException {
    return Files.readString(log);
  }

  /** Ends it as a crash does, without a chance to do anything. */
  void kill() throws InterruptedException {
    process.destroyForcibly();
    process.waitFor();
  }

  /** Starts it again with the same settings, and waits until it is ready. */
  void restart() throws IOException, InterruptedException {
    process = run(command, log);
    awaitReady();
  }

  /** Ends it in order. */
  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
