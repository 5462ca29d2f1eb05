package dev.socifleet.node.control;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.node.mounts.MountedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Calls the node of this machine. A connection a call; blocking, thread-safe. */
public final class ControlClient {
  /** Where a node listens whose {@code root} isn't set. */
  public static final Path STANDARD_SOCKET = Path.of("/var/lib/soci-snapshotter-grpc/control.sock");

  private static final int LARGEST_ANSWER = 64 << 20;
  private static final JsonMapper JSON =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  /** The node answered with a failure; the message is its own. */
  public static final class ControlException extends IOException {
    private final int status;

    ControlException(int status, String message) {
      super(message);
      this.status = status;
    }

    /** The HTTP status. */
    public int status() {
      return status;
    }
  }

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Reply(int status, byte[] body) {}

  private final Path socket;

  public ControlClient(Path socket) {
    this.socket = socket;
  }

  /**
   * Makes an image's layers ready, and holds them until they are released; takes as long as layers
   * without zTOC need to be downloaded.
   *
   * @param platform empty for the node's own
   */
  public MountedImage mount(String image, String platform) throws IOException {
    byte[] body = ControlApi.bytes(new MountRequest(image, platform));
    return JSON.readValue(call("POST", "/v1/mounts", body), MountedImage.class);
  }

  /** Gives a mount's layers back. */
  public void release(String id) throws IOException {
    var _ = call("DELETE", "/v1/mounts/" + id, new byte[0]);
  }

  public NodeStatus status() throws IOException {
    return JSON.readValue(call("GET", "/v1/status", new byte[0]), NodeStatus.class);
  }

  private byte[] call(String method, String path, byte[] body) throws IOException {
    Reply reply;
    // HTTP/1.0: the answer isn't chunked and ends with the connection. The JDK's client knows no
    // unix sockets.
    try (SocketChannel channel = connect()) {
      String head =
          "%s %s HTTP/1.0\r\nHost: node\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
              .formatted(method, path, body.length);
      write(channel, head.getBytes(StandardCharsets.US_ASCII));
      write(channel, body);
      reply = read(Channels.newInputStream(channel));
    }
    if (reply.status() >= 300) {
      String said = JSON.readTree(reply.body()).path("error").asText("");
      throw new ControlException(
          reply.status(), said.isEmpty() ? "the node answered " + reply.status() : said);
    }
    return reply.body();
  }

  private SocketChannel connect() throws IOException {
    try {
      return SocketChannel.open(UnixDomainSocketAddress.of(socket));
    } catch (IOException | IllegalArgumentException e) {
      throw new IOException(
          "cannot reach the node at "
              + socket
              + ": "
              + e.getMessage()
              + ": is it running, is this its control.socket, and are you root?",
          e);
    }
  }

  private static void write(SocketChannel channel, byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }

  private Reply read(InputStream in) throws IOException {
    byte[] all = in.readNBytes(LARGEST_ANSWER);
    String text = new String(all, StandardCharsets.ISO_8859_1);
    int end = text.indexOf("\r\n\r\n");
    String[] first = text.split("\r\n", 2)[0].split(" ", 3);
    if (end < 0 || first.length < 2 || !first[1].matches("\\d{3}")) {
      throw new IOException("the node at " + socket + " closed the connection without an answer");
    }
    byte[] body = new ByteArrayInputStream(all, end + 4, all.length - end - 4).readAllBytes();
    return new Reply(Integer.parseInt(first[1]), body);
  }
}
