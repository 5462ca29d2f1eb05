package dev.socifleet.oci;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * HTTP/1.1 on loopback, in the clear or over TLS, that answers as its handler says, and breaks off,
 * resets or falls silent where it is told to. Remembers every call.
 */
final class WireServer implements AutoCloseable {
  /**
   * A request as it came.
   *
   * @param path without the query
   * @param headers by lower-case name
   * @param client the subject of the client's certificate, empty without one
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Call(
      String method,
      String path,
      Map<String, String> query,
      Map<String, String> headers,
      byte[] body,
      String client) {
    Optional<String> header(String name) {
      return Optional.ofNullable(headers.get(name.toLowerCase(Locale.ROOT)));
    }

    boolean is(String wantedMethod, String part) {
      return method.equals(wantedMethod) && path.contains(part);
    }

    @Override
    public String toString() {
      return method + " " + path + (query.isEmpty() ? "" : "?" + query);
    }
  }

  /** How an answer ends, after so many bytes of its body. */
  sealed interface Ending {
    record Whole() implements Ending {}

    /** The connection is closed. */
    record Cut(int after) implements Ending {}

    /** The connection is reset (RST). */
    record Reset(int after) implements Ending {}

    /** The connection is reset before the answer's head. */
    record Dropped() implements Ending {}

    /** Nothing more comes, and the connection stays. */
    record Stall(int after) implements Ending {}

    /** Not even the head comes. */
    record Silence() implements Ending {}
  }

  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Reply(int status, Map<String, String> headers, byte[] body, Ending ending) {
    static Reply of(int status) {
      return new Reply(status, Map.of(), new byte[0], new Ending.Whole());
    }

    static Reply of(int status, String type, byte[] body) {
      return of(status).with("Content-Type", type).with(body);
    }

    /** An error in the form of the distribution specification. */
    static Reply error(int status, String code, String message) {
      String json = "{\"errors\":[{\"code\":\"%s\",\"message\":\"%s\"}]}".formatted(code, message);
      return of(status, "application/json", json.getBytes(StandardCharsets.UTF_8));
    }

    Reply with(String header, String value) {
      Map<String, String> all = new TreeMap<>(headers);
      all.put(header, value);
      return new Reply(status, all, body, ending);
    }

    Reply with(byte[] newBody) {
      return new Reply(status, headers, newBody, ending);
    }

    Reply ending(Ending newEnding) {
      return new Reply(status, headers, body, newEnding);
    }
  }

  @FunctionalInterface
  interface Handler {
    Reply answer(Call call);
  }

  private final ServerSocket listener;
  private final String scheme;
  private final Handler handler;
  private final List<Call> calls = new CopyOnWriteArrayList<>();
  private final List<String> failures = new CopyOnWriteArrayList<>();
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final CountDownLatch closed = new CountDownLatch(1);

  private WireServer(ServerSocket listener, String scheme, Handler handler) {
    this.listener = listener;
    this.scheme = scheme;
    this.handler = handler;
    Thread.ofVirtual().name("wire-server").start(this::accept);
  }

  static WireServer start(Handler handler) throws IOException {
    return new WireServer(
        new ServerSocket(0, 100, InetAddress.getLoopbackAddress()), "http", handler);
  }

  static WireServer startTls(SSLContext tls, boolean clientCertificate, Handler handler)
      throws IOException {
    SSLServerSocket socket =
        (SSLServerSocket)
            tls.getServerSocketFactory()
                .createServerSocket(0, 100, InetAddress.getLoopbackAddress());
    socket.setNeedClientAuth(clientCertificate);
    return new WireServer(socket, "https", handler);
  }

  int port() {
    return listener.getLocalPort();
  }

  String host() {
    return "127.0.0.1:" + port();
  }

  String url() {
    return scheme + "://" + host();
  }

  List<Call> calls() {
    return List.copyOf(calls);
  }

  /** Calls of this method whose path holds this. */
  List<Call> calls(String method, String part) {
    return calls.stream().filter(call -> call.is(method, part)).toList();
  }

  /** What the handler threw: each one is a test's fault or a request that was not to come. */
  List<String> failures() {
    return List.copyOf(failures);
  }

  int connections() {
    return open.size();
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket socket = listener.accept();
        open.add(socket);
        Thread.ofVirtual().name("wire-connection").start(() -> serve(socket));
      } catch (IOException e) {
        return; // closed
      }
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      InputStream in = new BufferedInputStream(socket.getInputStream());
      OutputStream out = new BufferedOutputStream(socket.getOutputStream(), 64 << 10);
      for (Call call = read(socket, in); call != null; call = read(socket, in)) {
        calls.add(call);
        Reply reply;
        try {
          reply = handler.answer(call);
        } catch (RuntimeException | AssertionError e) {
          failures.add(call + ": " + e);
          reply = Reply.error(500, "UNKNOWN", "the test's registry failed");
        }
        if (!write(socket, out, call, reply)) {
          return;
        }
      }
    } catch (IOException e) {
      // The client went, which is its right.
    } finally {
      open.remove(socket);
    }
  }

  private boolean write(Socket socket, OutputStream out, Call call, Reply reply)
      throws IOException {
    if (reply.ending() instanceof Ending.Silence) {
      await();
      return false;
    }
    if (reply.ending() instanceof Ending.Dropped) {
      socket.setSoLinger(true, 0);
      return false;
    }
    StringBuilder head = new StringBuilder("HTTP/1.1 " + reply.status() + " Reason\r\n");
    reply.headers().forEach((name, value) -> head.append(name + ": " + value + "\r\n"));
    boolean bodiless = reply.status() == 204 || reply.status() == 304;
    boolean chunked = reply.headers().containsKey("Transfer-Encoding");
    if (!reply.headers().containsKey("Content-Length") && !bodiless && !chunked) {
      head.append("Content-Length: " + reply.body().length + "\r\n");
    }
    out.write((head + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
    byte[] body = call.method().equals("HEAD") ? new byte[0] : reply.body();
    if (chunked) {
      ByteArrayOutputStream chunk = new ByteArrayOutputStream();
      chunk.writeBytes(
          (Integer.toHexString(body.length) + "\r\n").getBytes(StandardCharsets.UTF_8));
      chunk.writeBytes(body);
      chunk.writeBytes("\r\n0\r\n\r\n".getBytes(StandardCharsets.UTF_8));
      body = chunk.toByteArray();
    }
    return switch (reply.ending()) {
      case Ending.Whole() -> {
        out.write(body);
        out.flush();
        yield true;
      }
      case Ending.Cut(int after) -> {
        out.write(body, 0, Math.min(after, body.length));
        out.flush();
        yield false;
      }
      case Ending.Reset(int after) -> {
        out.write(body, 0, Math.min(after, body.length));
        out.flush();
        socket.setSoLinger(true, 0);
        yield false;
      }
      case Ending.Stall(int after) -> {
        out.write(body, 0, Math.min(after, body.length));
        out.flush();
        // Until the client gives up or the server is closed: then a read ends.
        socket.getInputStream().read();
        yield false;
      }
      case Ending.Silence(), Ending.Dropped() -> false;
    };
  }

  private void await() {
    try {
      closed.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static @Nullable Call read(Socket socket, InputStream in) throws IOException {
    String first = line(in);
    if (first.isEmpty()) {
      return null;
    }
    String[] request = first.split(" ", 3);
    Map<String, String> headers = new TreeMap<>();
    for (String line = line(in); !line.isEmpty(); line = line(in)) {
      int colon = line.indexOf(':');
      headers.put(
          line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
    }
    String[] target = request[1].split("\\?", 2);
    String client = "";
    if (socket instanceof SSLSocket tls && tls.getNeedClientAuth()) {
      client = tls.getSession().getPeerPrincipal().getName();
    }
    return new Call(
        request[0],
        target[0],
        parameters(target.length == 1 ? "" : target[1]),
        headers,
        body(in, headers),
        client);
  }

  /** {@code a=b&c=d}; several values of one name are joined by spaces. */
  static Map<String, String> parameters(String text) {
    Map<String, String> all = new TreeMap<>();
    for (String pair : text.split("&")) {
      String[] parts = pair.split("=", 2);
      if (!parts[0].isEmpty()) {
        all.merge(
            parts[0],
            URLDecoder.decode(parts.length == 1 ? "" : parts[1], StandardCharsets.UTF_8),
            (a, b) -> a + " " + b);
      }
    }
    return all;
  }

  private static byte[] body(InputStream in, Map<String, String> headers) throws IOException {
    if (!"chunked".equals(headers.get("transfer-encoding"))) {
      int length = Integer.parseInt(headers.getOrDefault("content-length", "0"));
      byte[] body = in.readNBytes(length);
      if (body.length < length) {
        throw new EOFException();
      }
      return body;
    }
    List<byte[]> chunks = new ArrayList<>();
    for (int size = chunk(in); size > 0; size = chunk(in)) {
      chunks.add(in.readNBytes(size));
      line(in);
    }
    line(in);
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    for (byte[] chunk : chunks) {
      whole.write(chunk);
    }
    return whole.toByteArray();
  }

  private static int chunk(InputStream in) throws IOException {
    return Integer.parseInt(line(in).split(";", 2)[0].strip(), 16);
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
      if (c != '\r') {
        line.append((char) c);
      }
    }
    return line.toString();
  }

  /** Closes every connection, as a process that dies does. */
  @Override
  public void close() {
    closed.countDown();
    try {
      listener.close();
      for (Socket socket : open) {
        socket.close();
      }
    } catch (IOException e) {
      throw new IllegalStateException("cannot close the test's server", e);
    }
  }
}
