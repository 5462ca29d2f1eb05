package dev.socifleet.cli.images;

import com.sun.net.httpserver.HttpServer;
import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Where foreign layers are: not in the image, and at no registry. */
final class LayersElsewhere implements AutoCloseable {
  private final HttpServer server;
  private final Map<String, byte[]> layers = new ConcurrentHashMap<>();

  LayersElsewhere() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        call -> {
          byte[] layer = layers.get(call.getRequestURI().getPath());
          call.sendResponseHeaders(layer == null ? 404 : 200, layer == null ? -1 : layer.length);
          try (OutputStream out = call.getResponseBody()) {
            if (layer != null) {
              out.write(layer);
            }
          }
        });
    server.start();
  }

  /** Keeps a layer, and says where. */
  String put(byte[] layer) {
    String path = "/" + Digest.of(layer).hex();
    layers.put(path, layer);
    return "http://127.0.0.1:" + server.getAddress().getPort() + path;
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
