package dev.socifleet.testing;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Ports of loopback for servers that must be told one, and for addresses that nobody answers at.
 * They stay free until they are used: they are below those that the kernel gives to whoever asks
 * for any port, as every outgoing connection does.
 */
public final class FreePort {
  private static final int LOWEST = 10_000;
  private static final Path EPHEMERAL = Path.of("/proc/sys/net/ipv4/ip_local_port_range");

  /** Each is given once; another test process most likely begins elsewhere. */
  private static final AtomicInteger NEXT =
      new AtomicInteger(ThreadLocalRandom.current().nextInt(1 << 20));

  private FreePort() {}

  /** A port that nobody listens on. */
  public static int choose() throws IOException {
    int end = end();
    for (int tried = LOWEST; tried < end; tried++) {
      int port = LOWEST + NEXT.getAndIncrement() % (end - LOWEST);
      try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return socket.getLocalPort();
      } catch (BindException e) {
        // somebody's
      }
    }
    throw new IOException("no port of loopback is free between " + LOWEST + " and " + end);
  }

  /** The first of the kernel's own ports; where it has them all, that of its default range. */
  private static int end() throws IOException {
    int first = Integer.parseInt(Files.readString(EPHEMERAL).strip().split("\\s+", 2)[0]);
    return first > LOWEST ? first : 32_768;
  }
}
