package dev.socifleet.oci;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Passes bytes on to a server, and resets connections that have brought so many. */
final class CuttingProxy implements AutoCloseable {
  private final ServerSocket listener;
  private final InetSocketAddress target;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final AtomicInteger cutsLeft;
  private final long after;

  /**
   * @param cuts how many connections are reset altogether
   * @param after so many bytes in either direction
   */
  CuttingProxy(String target, int cuts, long after) throws IOException {
    String[] parts = target.split(":");
    this.target = new InetSocketAddress(parts[0], Integer.parseInt(parts[1]));
    this.after = after;
    cutsLeft = new AtomicInteger(cuts);
    listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(this::accept);
  }

  String host() {
    return "127.0.0.1:" + listener.getLocalPort();
  }

  /** How many cuts are still to come. */
  int cutsLeft() {
    return Math.max(0, cutsLeft.get());
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket client = listener.accept();
        Socket server = new Socket(target.getAddress(), target.getPort());
        open.add(client);
        open.add(server);
        Thread.ofVirtual().start(() -> pass(client, server));
        Thread.ofVirtual().start(() -> pass(server, client));
      } catch (IOException e) {
        return; // closed, or the server went
      }
    }
  }

  private void pass(Socket from, Socket to) {
    byte[] buffer = new byte[16 << 10];
    long passed = 0;
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        out.write(buffer, 0, count);
        passed += count;
        if (passed > after && cutsLeft.getAndDecrement() > 0) {
          from.setSoLinger(true, 0);
          to.setSoLinger(true, 0);
          return;
        }
      }
    } catch (IOException e) {
      // One of both went.
    } finally {
      open.remove(from);
      open.remove(to);
    }
  }

  @Override
  public void close() throws IOException {
    listener.close();
    for (Socket socket : open) {
      socket.close();
    }
  }
}
