package dev.socifleet.cli.mount;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.node.control.NodeStatus;
import dev.socifleet.node.mounts.MountedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** Answers as a node's control socket does that holds one image, or refuses. */
final class FakeNode implements AutoCloseable {
  private static final JsonMapper JSON = new JsonMapper();

  private final ServerSocketChannel server;
  private final Path socket;
  private final List<String> requests = new CopyOnWriteArrayList<>();
  private volatile @Nullable MountedImage image;

  FakeNode(Path socket) throws IOException {
    this.socket = socket;
    server =
        ServerSocketChannel.open(StandardProtocolFamily.UNIX)
            .bind(UnixDomainSocketAddress.of(socket));
    Thread.startVirtualThread(this::serve);
  }

  Path socket() {
    return socket;
  }

  /** What is answered to a mount; without one it is refused. */
  void holds(MountedImage mounted) {
    image = mounted;
  }

  /** Each as its method, path and body. */
  List<String> requests() {
    return List.copyOf(requests);
  }

  private void serve() {
    while (server.isOpen()) {
      try (SocketChannel channel = server.accept()) {
        answer(channel);
      } catch (ClosedChannelException e) {
        return;
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }
  }

  private void answer(SocketChannel channel) throws IOException {
    InputStream in = Channels.newInputStream(channel);
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    while (!head.toString(StandardCharsets.ISO_8859_1).endsWith("\r\n\r\n")) {
      head.write(in.read());
    }
    String text = head.toString(StandardCharsets.ISO_8859_1);
    int length =
        Integer.parseInt(text.replaceAll("(?s).*Content-Length: (\\d+)\r\n.*", "$1").strip());
    String body = new String(in.readNBytes(length), StandardCharsets.UTF_8);
    String[] first = text.split(" ", 3);
    requests.add((first[0] + " " + first[1] + " " + body.replaceAll("\\s*\n\\s*", " ")).strip());
    String reply;
    if (first[0].equals("DELETE")) {
      reply = "HTTP/1.0 204 No Content\r\n\r\n";
    } else if (first[0].equals("GET")) {
      List<MountedImage> mounts = image == null ? List.of() : List.of(image);
      reply =
          "HTTP/1.0 200 OK\r\n\r\n"
              + JSON.writeValueAsString(new NodeStatus(List.of(), mounts, List.of(), List.of()));
    } else if (image == null) {
      reply = "HTTP/1.0 404 Not Found\r\n\r\n{\"error\":\"there is no such image\"}";
    } else {
      reply = "HTTP/1.0 200 OK\r\n\r\n" + JSON.writeValueAsString(image);
    }
    channel.write(ByteBuffer.wrap(reply.getBytes(StandardCharsets.UTF_8)));
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
