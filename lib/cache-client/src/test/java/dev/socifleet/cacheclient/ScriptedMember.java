package dev.socifleet.cacheclient;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;

/** A member that answers each request with the bytes that a test says, right or wrong. */
final class ScriptedMember implements AutoCloseable {
  /** Answers a request, given its head: the request line and the headers, lower case. */
  @FunctionalInterface
  interface Script {
    void answer(List<String> head, OutputStream out) throws IOException;
  }

  private final ServerSocket server = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final List<List<String>> requests = new CopyOnWriteArrayList<>();
  private final CountDownLatch closing = new CountDownLatch(1);
  private volatile Script script;

  ScriptedMember(Script script) throws IOException {
    this.script = script;
    Thread.ofVirtual().start(this::accept);
  }

  URI uri() {
    return URI.create("http://127.0.0.1:" + server.getLocalPort());
  }

  void script(Script other) {
    script = other;
  }

  List<List<String>> requests() {
    return requests;
  }

  /** A whole answer with this body. */
  static Script answer(int status, byte[] body, String... headers) {
    return (head, out) -> {
      out.write(head(status, body.length, headers));
      out.write(body);
    };
  }

  static byte[] head(int status, long length, String... headers) {
    List<String> lines = new ArrayList<>(List.of("HTTP/1.1 " + status + " X"));
    lines.add("Content-Length: " + length);
    lines.addAll(List.of(headers));
    return (String.join("\r\n", lines) + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII);
  }

  /** Says nothing more until this member is closed. */
  void hang() throws IOException {
    try {
      closing.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    throw new IOException("closed");
  }

  private void accept() {
    while (true) {
      try {
        Socket socket = server.accept();
        sockets.add(socket);
        Thread.ofVirtual().start(() -> serve(socket));
      } catch (IOException e) {
        return;
      }
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      InputStream in = new BufferedInputStream(socket.getInputStream());
      for (List<String> head = readHead(in); !head.isEmpty(); head = readHead(in)) {
        int length =
            head.stream()
                .filter(line -> line.startsWith("content-length:"))
                .mapToInt(line -> Integer.parseInt(line.substring(15).strip()))
                .findFirst()
                .orElse(0);
        in.readNBytes(length);
        requests.add(head);
        OutputStream out = socket.getOutputStream();
        script.answer(head, out);
        out.flush();
      }
    } catch (IOException e) {
      // The client hung up, or the script did.
    } finally {
      sockets.remove(socket);
    }
  }

  private static List<String> readHead(InputStream in) throws IOException {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c >= 0; c = in.read()) {
      if (c == '\n') {
        if (line.isEmpty()) {
          return lines;
        }
        lines.add(line.toString().toLowerCase(Locale.ROOT));
        line.setLength(0);
      } else if (c != '\r') {
        line.append((char) c);
      }
    }
    return List.of();
  }

  @Override
  public void close() throws IOException {
    closing.countDown();
    server.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }
}
