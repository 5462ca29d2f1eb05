package dev.socifleet.embedded.broker;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.MetadataVersion;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Kafka broker and controller (KRaft) in this process, on loopback, with share groups. Its
 * directory is formatted once; a restart on it, after an orderly end or a kill, goes on with what
 * was acknowledged.
 */
public final class EmbeddedBroker implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EmbeddedBroker.class);
  private static final String CONTROLLER = "CONTROLLER";

  private final KafkaRaftServer server;
  private final int port;

  private EmbeddedBroker(KafkaRaftServer server, int port) {
    this.server = server;
    this.port = port;
  }

  /**
   * Starts a broker and returns when it takes requests.
   *
   * @param directory its logs and metadata; created when missing
   * @param port where clients reach it on 127.0.0.1; 0 chooses one, and keeps it over restarts on
   *     this directory
   */
  public static EmbeddedBroker start(Path directory, int port) throws IOException {
    Files.createDirectories(directory);
    Path remembered = directory.resolve("ports");
    int clients = port;
    int controllers;
    String before = Files.exists(remembered) ? Files.readString(remembered).strip() : "";
    if (before.matches("\\d+ \\d+")) {
      // The quorum's voters are written into the metadata log: the controller's port may not move.
      controllers = Integer.parseInt(before.split(" ", -1)[1]);
      clients = port == 0 ? Integer.parseInt(before.split(" ", -1)[0]) : port;
    } else {
      try (ServerSocket one = onFreePort();
          ServerSocket other = onFreePort()) { // both open: two different ones
        controllers = one.getLocalPort();
        clients = port == 0 ? other.getLocalPort() : port;
      }
    }
    Files.writeString(remembered, clients + " " + controllers);
    Path logs = directory.resolve("log");
    Properties properties = properties(logs, clients, controllers);
    needFree(controllers, directory);
    KafkaRaftServer server = uninterrupted(() -> startServer(logs, properties));
    LOG.debug("embedded Kafka broker on 127.0.0.1:{} in {}", clients, directory);
    return new EmbeddedBroker(server, clients);
  }

  /** A broker that can't listen ends the whole process. */
  private static void needFree(int port, Path directory) throws IOException {
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    } catch (BindException e) {
      throw new IOException(
          "port "
              + port
              + ", which the broker in "
              + directory
              + " has for its controller, is taken; end what uses it",
          e);
    }
  }

  private static KafkaRaftServer startServer(Path logs, Properties properties) throws IOException {
    format(logs);
    KafkaRaftServer server = new KafkaRaftServer(KafkaConfig.fromProps(properties), Time.SYSTEM);
    server.startup();
    return server;
  }

  /**
   * On a thread that nobody interrupts: an interrupted broker takes the closed files for a broken
   * disk and ends the whole process at once. An interrupt meanwhile is kept for afterwards.
   */
  private static KafkaRaftServer uninterrupted(Callable<KafkaRaftServer> start) throws IOException {
    FutureTask<KafkaRaftServer> task = new FutureTask<>(start);
    Thread.ofPlatform().name("broker-start").start(task);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } catch (ExecutionException e) {
      throw new IOException("the embedded Kafka broker did not start: " + e.getCause(), e);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** What clients connect to. */
  public String bootstrap() {
    return "127.0.0.1:" + port;
  }

  public int port() {
    return port;
  }

  @Override
  public void close() {
    server.shutdown();
    server.awaitShutdown();
  }

  private static Properties properties(Path logs, int clients, int controllers) {
    Properties properties = new Properties();
    properties.put("process.roles", "broker,controller");
    properties.put("node.id", "1");
    properties.put("controller.quorum.voters", "1@127.0.0.1:" + controllers);
    properties.put(
        "listeners",
        "PLAINTEXT://127.0.0.1:" + clients + "," + CONTROLLER + "://127.0.0.1:" + controllers);
    properties.put("advertised.listeners", "PLAINTEXT://127.0.0.1:" + clients);
    properties.put("controller.listener.names", CONTROLLER);
    properties.put(
        "listener.security.protocol.map", "PLAINTEXT:PLAINTEXT," + CONTROLLER + ":PLAINTEXT");
    properties.put("log.dirs", logs.toString());
    properties.put("auto.create.topics.enable", "false");
    properties.put("offsets.topic.replication.factor", "1");
    properties.put("offsets.topic.num.partitions", "1");
    properties.put("transaction.state.log.replication.factor", "1");
    properties.put("transaction.state.log.num.partitions", "1");
    properties.put("share.coordinator.state.topic.replication.factor", "1");
    properties.put("share.coordinator.state.topic.num.partitions", "1");
    properties.put("transaction.state.log.min.isr", "1");
    properties.put("share.coordinator.state.topic.min.isr", "1");
    properties.put("group.initial.rebalance.delay.ms", "0");
    properties.put("group.consumer.heartbeat.interval.ms", "500");
    properties.put("group.consumer.min.heartbeat.interval.ms", "500");
    properties.put("group.share.heartbeat.interval.ms", "500");
    properties.put("group.share.min.heartbeat.interval.ms", "500");
    // Index files are preallocated and sparse; 64 KiB is plenty for events.
    properties.put("log.index.size.max.bytes", "65536");
    properties.put("log.cleaner.dedupe.buffer.size", "4194304");
    return properties;
  }

  private static void format(Path logs) throws IOException {
    if (Files.exists(logs.resolve("meta.properties"))) {
      return;
    }
    Files.createDirectories(logs);
    try {
      Formatter formatter =
          new Formatter()
              .setPrintStream(
                  new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
              .setClusterId(Uuid.randomUuid().toString())
              .setNodeId(1)
              .setControllerListenerName(CONTROLLER)
              .setDirectories(List.of(logs.toString()))
              .setMetadataLogDirectory(logs.toString())
              .setIgnoreFormatted(true)
              .setReleaseVersion(MetadataVersion.LATEST_PRODUCTION);
      formatter.run();
    } catch (Exception e) { // Formatter.run declares no narrower one
      throw new IOException("cannot format the broker's directory " + logs + ": " + e, e);
    }
  }

  private static ServerSocket onFreePort() throws IOException {
    return new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
  }
}
