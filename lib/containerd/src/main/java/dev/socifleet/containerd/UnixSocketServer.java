package dev.socifleet.containerd;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.ConnectException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** gRPC services on a unix socket of mode 0600, each call on a virtual thread of its own. */
public final class UnixSocketServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(UnixSocketServer.class);
  private static final int LARGEST_MESSAGE = 16 << 20;
  // sockaddr_un.sun_path holds 108 bytes with its end; what is bound first has a longer name.
  private static final int LONGEST_PATH = 103;
  private static final long DRAIN_SECONDS = 5;

  private final Path socket;
  private final Object inode;
  private final Server server;
  private final EventLoopGroup eventLoop;
  private final ExecutorService executor;

  private UnixSocketServer(
      Path socket, Object inode, Server server, EventLoopGroup loop, ExecutorService executor) {
    this.socket = socket;
    this.inode = inode;
    this.server = server;
    this.eventLoop = loop;
    this.executor = executor;
  }

  /**
   * Listens. The file of a server that is gone is replaced; one that still answers is not.
   *
   * @throws IOException when another process listens there, or the socket can't be made
   */
  public static UnixSocketServer start(Path socket, List<BindableService> services)
      throws IOException {
    Path path = socket.toAbsolutePath();
    Path directory = path.getParent();
    if (directory == null
        || path.toString().getBytes(StandardCharsets.UTF_8).length > LONGEST_PATH) {
      throw new IOException(
          "cannot listen on " + path + ": a socket's path has at most " + LONGEST_PATH + " bytes");
    }
    Files.createDirectories(directory);
    refuseIfServed(path);
    // Bound under another name until its mode is right, so nobody else connects in between.
    Path unready = directory.resolve(path.getFileName() + ".new");
    Files.deleteIfExists(unready);
    EventLoopGroup eventLoop =
        new MultiThreadIoEventLoopGroup(
            2, new DefaultThreadFactory("grpc-io", true), NioIoHandler.newFactory());
    ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(unready))
            .channelType(NioServerDomainSocketChannel.class)
            .bossEventLoopGroup(eventLoop)
            .workerEventLoopGroup(eventLoop)
            .executor(executor)
            // gRPC sets it for TCP; on a unix socket Netty warns of it at each connection.
            .withChildOption(ChannelOption.SO_KEEPALIVE, null)
            .maxInboundMessageSize(LARGEST_MESSAGE);
    services.forEach(builder::addService);
    Server server = builder.build();
    try {
      server.start();
      Files.setPosixFilePermissions(unready, PosixFilePermissions.fromString("rw-------"));
      Files.move(unready, path, StandardCopyOption.ATOMIC_MOVE);
      return new UnixSocketServer(path, inode(path), server, eventLoop, executor);
    } catch (IOException e) {
      server.shutdownNow();
      executor.shutdown();
      stop(eventLoop);
      throw new IOException("cannot listen on " + path + ": " + e.getMessage(), e);
    }
  }

  public Path socket() {
    return socket;
  }

  private static void refuseIfServed(Path path) throws IOException {
    if (!Files.exists(path)) {
      return;
    }
    try {
      SocketChannel.open(UnixDomainSocketAddress.of(path)).close();
    } catch (ConnectException e) {
      log.info("{} is left from a server that ended without closing it; replaced", path);
      return;
    }
    throw new IOException(
        "cannot listen on " + path + ": another process does; stop it or choose another address");
  }

  private static void stop(EventLoopGroup eventLoop) {
    eventLoop
        .shutdownGracefully(0, DRAIN_SECONDS, TimeUnit.SECONDS)
        .awaitUninterruptibly(DRAIN_SECONDS, TimeUnit.SECONDS);
  }

  private static Object inode(Path path) throws IOException {
    return Files.getAttribute(path, "unix:ino");
  }

  /**
   * Stops accepting, lets calls end for a few seconds, then interrupts them; removes its socket
   * file. What the services use may be closed after this.
   */
  @Override
  public void close() {
    server.shutdown();
    try {
      // A successor may have put its own socket there.
      if (Files.exists(socket) && inode.equals(inode(socket))) {
        Files.delete(socket);
      }
    } catch (IOException e) {
      log.warn("cannot remove {}: {}", socket, e.toString());
    }
    try {
      if (!server.awaitTermination(DRAIN_SECONDS, TimeUnit.SECONDS)) {
        server.shutdownNow();
      }
      // A call whose client is gone counts as ended while its handler still runs.
      executor.shutdown();
      if (!executor.awaitTermination(DRAIN_SECONDS, TimeUnit.SECONDS)) {
        executor.shutdownNow();
        if (!executor.awaitTermination(DRAIN_SECONDS, TimeUnit.SECONDS)) {
          log.warn("calls on {} didn't end", socket);
        }
      }
    } catch (InterruptedException e) {
      server.shutdownNow();
      executor.shutdownNow();
      Thread.currentThread().interrupt();
    }
    stop(eventLoop);
  }
}
