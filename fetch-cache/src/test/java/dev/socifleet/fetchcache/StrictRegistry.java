package dev.socifleet.fetchcache;

import dev.socifleet.oci.ByteRange;
import dev.socifleet.oci.Digest;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The part of a registry that a cache may use: HEAD of a blob and GET of a range of it, each
 * repository with its own credentials. Anything else is a fault of the cache, and is kept as one.
 * What it does wrong on purpose, a test says by {@link #misbehave}.
 */
final class StrictRegistry implements AutoCloseable {
  static final String USER_AGENT = "soci-fleet-cache/1.0.0";
  private static final Pattern PATH =
      Pattern.compile("/v2/([a-z0-9/]+)/blobs/(sha256:[0-9a-f]{64})");

  /** A request as it came in, with the status that it got. */
  record Asked(String method, String repository, Digest blob, String range, int status) {}

  /** What comes instead of a right answer. */
  sealed interface Fault {
    record Status(int status, List<String> headers) implements Fault {}

    record None() implements Fault {}

    /** The connection ends after so many bytes of the body. */
    record CutAfter(int bytes) implements Fault {}

    /** Nothing more comes after so many bytes of the body, until the registry is closed. */
    record HangAfter(int bytes) implements Fault {}

    /** Bytes of the right length that aren't the blob's. */
    record WrongBytes() implements Fault {}

    /** The whole blob, status 200, whatever range was asked for. */
    record WholeBlob() implements Fault {}
  }

  /** Decides on a request that would be answered. May block. */
  @FunctionalInterface
  interface Misbehaviour {
    Fault of(Asked request);
  }

  private static final class Repo {
    final Map<Digest, byte[]> blobs = new ConcurrentHashMap<>();
    final Set<String> authorizations = ConcurrentHashMap.newKeySet();
    volatile String scheme = "";
  }

  private final ServerSocket server = new ServerSocket(0, 512, InetAddress.getLoopbackAddress());
  private final Map<String, Repo> repositories = new ConcurrentHashMap<>();
  private final List<Asked> asked = new CopyOnWriteArrayList<>();
  private final List<String> violations = new CopyOnWriteArrayList<>();
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private volatile Misbehaviour misbehaviour = request -> new Fault.None();
  private volatile boolean closed;

  StrictRegistry() throws IOException {
    Thread.ofVirtual().start(this::accept);
  }

  String host() {
    return "127.0.0.1:" + server.getLocalPort();
  }

  /** Puts a blob into a repository, which anybody may pull from unless {@link #only} says else. */
  Digest put(String repository, byte[] blob) {
    Digest digest = Digest.of(blob);
    repo(repository).blobs.put(digest, blob);
    return digest;
  }

  /**
   * Only who brings one of these may pull from the repository; {@code Basic …} or {@code Bearer …}.
   */
  void only(String repository, String... authorizations) {
    Repo repo = repo(repository);
    repo.scheme = authorizations[0].substring(0, authorizations[0].indexOf(' '));
    repo.authorizations.addAll(List.of(authorizations));
  }

  /** Ends what {@link #only} began. */
  void anybody(String repository) {
    repo(repository).scheme = "";
  }

  void revoke(String repository, String authorization) {
    repo(repository).authorizations.remove(authorization);
  }

  void misbehave(Misbehaviour as) {
    misbehaviour = as;
  }

  /** Requests of a method that were answered with a blob's bytes or size. */
  List<Asked> served(String method) {
    return asked.stream()
        .filter(request -> request.method().equals(method) && request.status() < 300)
        .toList();
  }

  List<Asked> all() {
    return List.copyOf(asked);
  }

  /** What no cache should have done. */
  List<String> violations() {
    return List.copyOf(violations);
  }

  private Repo repo(String name) {
    return repositories.computeIfAbsent(name, n -> new Repo());
  }

  private void accept() {
    while (!closed) {
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
      while (answer(in, socket)) {
        Thread.onSpinWait();
      }
    } catch (IOException e) {
      // The cache hung up.
    } finally {
      sockets.remove(socket);
    }
  }

  private boolean answer(InputStream in, Socket socket) throws IOException {
    String line = line(in);
    if (line.isEmpty()) {
      return false;
    }
    Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    for (String header = line(in); !header.isEmpty(); header = line(in)) {
      int colon = header.indexOf(':');
      headers.put(header.substring(0, colon), header.substring(colon + 1).strip());
    }
    String[] request = line.split(" ");
    Matcher path = PATH.matcher(request[1]);
    String method = request[0];
    if (!USER_AGENT.equals(headers.get("User-Agent"))) {
      violations.add("User-Agent " + headers.get("User-Agent"));
    }
    if (!path.matches() || !Set.of("GET", "HEAD").contains(method)) {
      violations.add(line);
      return plain(socket, 400);
    }
    String range = headers.getOrDefault("Range", "").replace("bytes=", "");
    if (method.equals("GET") == range.isEmpty()) {
      violations.add(method + " with range '" + range + "'");
      return plain(socket, 400);
    }
    String name = path.group(1);
    Digest digest = Digest.parse(path.group(2));
    Repo repo = repositories.get(name);
    if (repo == null) {
      asked.add(new Asked(method, name, digest, range, 404));
      return plain(socket, 404);
    }
    String authorization = headers.getOrDefault("Authorization", "");
    if (!repo.scheme.isEmpty() && !repo.authorizations.contains(authorization)) {
      asked.add(new Asked(method, name, digest, range, 401));
      return plain(socket, 401, "WWW-Authenticate: " + repo.scheme + " realm=\"test\"");
    }
    byte[] blob = repo.blobs.get(digest);
    if (blob == null) {
      asked.add(new Asked(method, name, digest, range, 404));
      return plain(socket, 404);
    }
    Fault fault =
        misbehaviour.of(new Asked(method, name, digest, range, method.equals("GET") ? 206 : 200));
    if (fault instanceof Fault.Status(int status, List<String> more)) {
      asked.add(new Asked(method, name, digest, range, status));
      return plain(socket, status, more.toArray(String[]::new));
    }
    asked.add(new Asked(method, name, digest, range, method.equals("GET") ? 206 : 200));
    OutputStream out = socket.getOutputStream();
    if (method.equals("HEAD")) {
      out.write(head(200, "Content-Length: " + blob.length));
      return true;
    }
    ByteRange bytes = ByteRange.parseHttp(range);
    return send(out, blob, bytes, fault);
  }

  private boolean send(OutputStream out, byte[] blob, ByteRange range, Fault fault)
      throws IOException {
    if (fault instanceof Fault.WholeBlob) {
      out.write(head(200, "Content-Length: " + blob.length));
      out.write(blob);
      return true;
    }
    int start = (int) range.start();
    int length = (int) Math.min(range.length(), blob.length - range.start());
    byte[] body = Arrays.copyOfRange(blob, start, start + length);
    out.write(
        head(
            206,
            "Content-Length: " + length,
            "Content-Range: bytes " + start + "-" + (start + length - 1) + "/" + blob.length));
    return switch (fault) {
      case Fault.CutAfter(int bytes) -> {
        out.write(body, 0, Math.min(bytes, length));
        yield false;
      }
      case Fault.HangAfter(int bytes) -> {
        out.write(body, 0, Math.min(bytes, length));
        out.flush();
        while (!closed) {
          LockSupport.parkNanos(10_000_000);
        }
        yield false;
      }
      case Fault.WrongBytes() -> {
        body[length / 2] ^= 1;
        out.write(body);
        yield true;
      }
      default -> {
        out.write(body);
        yield true;
      }
    };
  }

  private static boolean plain(Socket socket, int status, String... headers) throws IOException {
    List<String> all = new ArrayList<>(List.of(headers));
    all.add("Content-Length: 0");
    socket.getOutputStream().write(head(status, all.toArray(String[]::new)));
    return true;
  }

  private static byte[] head(int status, String... headers) {
    return ("HTTP/1.1 " + status + " X\r\n" + String.join("\r\n", headers) + "\r\n\r\n")
        .getBytes(StandardCharsets.US_ASCII);
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

  /** How often each status was answered, by method. */
  Map<String, Integer> counts() {
    Map<String, Integer> counts = new HashMap<>();
    asked.forEach(request ->
        counts.merge(
            (request.method() + " " + request.status()).toLowerCase(Locale.ROOT), 1, Integer::sum));
    return counts;
  }

  @Override
  public void close() throws IOException {
    closed = true;
    server.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }
}
