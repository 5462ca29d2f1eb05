package dev.socifleet.containerd;

import io.grpc.Channel;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * A connection to a daemon that speaks gRPC on a unix socket, usually containerd's. Thread-safe;
 * the JDK's own sockets, no native library.
 */
public final class ContainerdChannel implements AutoCloseable {
  /** Where containerd listens unless configured otherwise. */
  public static final Path STANDARD_SOCKET = Path.of("/run/containerd/containerd.sock");

  // containerd's own limit of one message (defaults.DefaultMaxRecvMsgSize).
  private static final int LARGEST_MESSAGE = 16 << 20;
  private static final long CLOSE_SECONDS = 5;
  private static final Metadata.Key<String> NAMESPACE =
      Metadata.Key.of("containerd-namespace", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<String> LEASE =
      Metadata.Key.of("containerd-lease", Metadata.ASCII_STRING_MARSHALLER);

  private final EventLoopGroup eventLoop;
  private final ExecutorService executor;
  private final ManagedChannel channel;

  private ContainerdChannel(
      EventLoopGroup eventLoop, ExecutorService executor, ManagedChannel channel) {
    this.eventLoop = eventLoop;
    this.executor = executor;
    this.channel = channel;
  }

  /**
   * Connects.
   *
   * @throws IOException when nothing listens on the socket; the message says what to check
   */
  public static ContainerdChannel open(Path socket) throws IOException {
    try {
      SocketChannel.open(UnixDomainSocketAddress.of(socket)).close();
    } catch (IOException | IllegalArgumentException e) {
      throw new IOException(
          "cannot connect to "
              + socket
              + ": "
              + e.getMessage()
              + ": is the daemon running, is this its address, and are you root?",
          e);
    }
    EventLoopGroup eventLoop =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("containerd-io", true), NioIoHandler.newFactory());
    ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket))
            .eventLoopGroup(eventLoop)
            .channelType(NioDomainSocketChannel.class, UnixDomainSocketAddress.class)
            .executor(executor)
            // gRPC sets it for TCP; on a unix socket Netty warns of it at each connection.
            .withOption(ChannelOption.SO_KEEPALIVE, null)
            // Servers disagree on what a socket's authority is; containerd's clients say this.
            .overrideAuthority("localhost")
            .maxInboundMessageSize(LARGEST_MESSAGE)
            .usePlaintext()
            .build();
    return new ContainerdChannel(eventLoop, executor, channel);
  }

  /** Calls without a namespace. */
  public Channel plain() {
    return channel;
  }

  /** Calls in a namespace of containerd's: nearly all of its services ask for one. */
  public Channel namespace(String namespace) {
    Metadata headers = new Metadata();
    headers.put(NAMESPACE, namespace);
    return ClientInterceptors.intercept(channel, attach(headers));
  }

  /** Calls in a namespace whose creations the lease holds against garbage collection. */
  public Channel namespace(String namespace, String lease) {
    Metadata headers = new Metadata();
    headers.put(NAMESPACE, namespace);
    headers.put(LEASE, lease);
    return ClientInterceptors.intercept(channel, attach(headers));
  }

  private static ClientInterceptor attach(Metadata headers) {
    return MetadataUtils.newAttachHeadersInterceptor(headers);
  }

  @Override
  public void close() {
    channel.shutdown();
    try {
      if (!channel.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        channel.shutdownNow();
      }
    } catch (InterruptedException e) {
      channel.shutdownNow();
      Thread.currentThread().interrupt();
    }
    executor.shutdown();
    eventLoop
        .shutdownGracefully(0, CLOSE_SECONDS, TimeUnit.SECONDS)
        .awaitUninterruptibly(CLOSE_SECONDS, TimeUnit.SECONDS);
  }
}
