package dev.socifleet.cli.remote;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;

/** The registry that answers for another one, which stands in front of it. Thread-safe. */
public final class RegistryBehind implements AutoCloseable {
  private static final List<String> REQUEST_HEADERS =
      List.of("Accept", "Content-Type", "Content-Range", "Range", "If-Match", "If-None-Match");
  private static final List<String> ANSWER_HEADERS =
      List.of(
          "Content-Type",
          "Content-Length",
          "Content-Range",
          "Docker-Content-Digest",
          "ETag",
          "Link",
          "Location",
          "OCI-Filters-Applied",
          "OCI-Subject",
          "Range");

  private final HttpClient client = HttpClient.newHttpClient();
  private final String host;

  /**
   * @param host its host and port
   */
  public RegistryBehind(String host) {
    this.host = host;
  }

  /** Asks it what was asked, and puts the headers of its answer, which is still to be sent. */
  HttpResponse<byte[]> ask(HttpExchange call) throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://" + host + call.getRequestURI()))
            .method(
                call.getRequestMethod(),
                HttpRequest.BodyPublishers.ofByteArray(call.getRequestBody().readAllBytes()));
    for (String name : REQUEST_HEADERS) {
      call.getRequestHeaders()
          .getOrDefault(name, List.of())
          .forEach(value -> request.header(name, value));
    }
    try {
      HttpResponse<byte[]> response =
          client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
      for (String name : ANSWER_HEADERS) {
        response.headers().firstValue(name).ifPresent(v -> call.getResponseHeaders().set(name, v));
      }
      return response;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while the registry behind answers");
    }
  }

  /** Lets it answer. */
  public void answer(HttpExchange call) throws IOException {
    HttpResponse<byte[]> response = ask(call);
    answer(call, response.statusCode(), response.body());
  }

  static void answer(HttpExchange call, int status, byte[] body) throws IOException {
    call.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    try (OutputStream out = call.getResponseBody()) {
      out.write(body);
    }
  }

  @Override
  public void close() {
    client.close();
  }
}
