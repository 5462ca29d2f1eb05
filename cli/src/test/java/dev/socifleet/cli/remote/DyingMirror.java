package dev.socifleet.cli.remote;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** A mirror of a registry that gives half of the first blob it is asked for, and is gone. */
final class DyingMirror implements AutoCloseable {
  private final HttpServer server;
  private final HttpClient client = HttpClient.newHttpClient();
  private final String behind;
  private final CountDownLatch died = new CountDownLatch(1);

  /**
   * @param behind host and port of the registry that it is a mirror of
   */
  DyingMirror(String behind) throws IOException {
    this.behind = behind;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/v2/", this::answer);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** Whether it was asked for a blob. */
  boolean isDead() {
    return died.getCount() == 0;
  }

  private void answer(HttpExchange call) throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://" + behind + call.getRequestURI()))
            .method(call.getRequestMethod(), HttpRequest.BodyPublishers.noBody());
    for (String name : List.of("Accept", "Range")) {
      call.getRequestHeaders()
          .getOrDefault(name, List.of())
          .forEach(value -> request.header(name, value));
    }
    try (call) {
      HttpResponse<byte[]> response =
          client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
      for (String name : List.of("Content-Type", "Content-Range", "Docker-Content-Digest")) {
        response.headers().firstValue(name).ifPresent(v -> call.getResponseHeaders().set(name, v));
      }
      byte[] body = response.body();
      call.sendResponseHeaders(response.statusCode(), body.length == 0 ? -1 : body.length);
      if (!call.getRequestURI().getPath().contains("/blobs/") || body.length == 0) {
        call.getResponseBody().write(body);
        return;
      }
      call.getResponseBody().write(body, 0, body.length / 2);
      call.getResponseBody().flush();
      died.countDown();
      Thread.ofVirtual().start(() -> server.stop(0));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    server.stop(0);
    client.close();
  }
}
