package dev.socifleet.embedded.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/** One request and its answer, as blocking calls. One thread. */
final class Exchange {
  private static final JsonMapper JSON = new JsonMapper();
  private static final int CHUNK = 256 << 10;
  private static final int CHUNKS_ON_THE_WAY = 4;

  private final HttpServerRequest request;
  private final RequestBody body;
  private final long timeoutSeconds;
  private final CompletableFuture<Void> gone = new CompletableFuture<>();
  private final String path;
  private final Consumer<Exchange> beforeLastByte;
  private int status;
  private long sent;
  private boolean noted;

  /**
   * On the event loop.
   *
   * @param beforeLastByte told once, before the client can have the whole answer or see its end
   */
  Exchange(
      HttpServerRequest request,
      RequestBody body,
      String path,
      long timeoutSeconds,
      Consumer<Exchange> beforeLastByte) {
    this.request = request;
    this.body = body;
    this.path = path;
    this.timeoutSeconds = timeoutSeconds;
    this.beforeLastByte = beforeLastByte;
    request
        .response()
        .closeHandler(_ -> gone.completeExceptionally(new IOException("the client went away")));
  }

  String method() {
    return request.method().name();
  }

  boolean head() {
    return method().equals("HEAD");
  }

  /** With percent escapes decoded, without the query. */
  String path() {
    return path;
  }

  Optional<String> header(String name) {
    return Optional.ofNullable(request.getHeader(name));
  }

  Optional<String> parameter(String name) {
    return Optional.ofNullable(request.params().get(name));
  }

  InputStream body() {
    return body;
  }

  String userAgent() {
    return header("User-Agent").orElse("");
  }

  /** {@code address:port} of the client. */
  String client() {
    return String.valueOf(request.remoteAddress());
  }

  boolean answered() {
    return status != 0;
  }

  int status() {
    return status;
  }

  /** Bytes of the answer's body handed to the connection so far. */
  long sent() {
    return sent;
  }

  void answer(int newStatus, Map<String, String> headers) throws IOException {
    answer(newStatus, headers, new byte[0]);
  }

  void json(int newStatus, JsonNode node, Map<String, String> headers) throws IOException {
    response(newStatus, headers).putHeader("Content-Type", "application/json");
    finish(node.toString().getBytes(StandardCharsets.UTF_8));
  }

  void problem(Problem problem) throws IOException {
    var root = JSON.createObjectNode();
    root.putArray("errors")
        .addObject()
        .put("code", problem.code())
        .put("message", problem.getMessage());
    json(problem.status(), root, problem.headers());
  }

  /** To HEAD, an answer says the length of the body that GET would have. */
  void answer(int newStatus, Map<String, String> headers, byte[] bytes) throws IOException {
    response(newStatus, headers);
    finish(bytes);
  }

  /**
   * Sends part of a file.
   *
   * @param progress told how many bytes went out, as they go
   */
  void file(
      int newStatus,
      Map<String, String> headers,
      FileChannel file,
      long start,
      long length,
      LongConsumer progress)
      throws IOException {
    HttpServerResponse response = response(newStatus, headers);
    response.putHeader("Content-Length", String.valueOf(length));
    ArrayDeque<Future<Void>> onTheWay = new ArrayDeque<>();
    for (long at = start; at < start + length; ) {
      ByteBuffer chunk = ByteBuffer.allocate((int) Math.min(CHUNK, start + length - at));
      while (chunk.hasRemaining()) {
        if (file.read(chunk, at + chunk.position()) < 0) {
          throw new IOException("a file of content is shorter than it was");
        }
      }
      if (onTheWay.size() == CHUNKS_ON_THE_WAY) {
        await(onTheWay.removeFirst());
      }
      at += chunk.capacity();
      sent += chunk.capacity();
      progress.accept(chunk.capacity());
      if (at == start + length) {
        note(); // with the length known, the client needs no end after the last chunk
      }
      onTheWay.add(response.write(Buffer.buffer(chunk.array())));
    }
    note();
    await(response.end());
  }

  private HttpServerResponse response(int newStatus, Map<String, String> headers) {
    status = newStatus;
    HttpServerResponse response = request.response().setStatusCode(newStatus);
    headers.forEach(response::putHeader);
    return response;
  }

  private void finish(byte[] bytes) throws IOException {
    HttpServerResponse response = request.response();
    if (head()) {
      if (!response.headers().contains("Content-Length")) {
        response.putHeader("Content-Length", String.valueOf(bytes.length));
      }
      note();
      await(response.end());
    } else {
      sent += bytes.length;
      note();
      await(bytes.length == 0 ? response.end() : response.end(Buffer.buffer(bytes)));
    }
  }

  private void note() {
    if (!noted) {
      noted = true;
      beforeLastByte.accept(this);
    }
  }

  private void await(Future<Void> future) throws IOException {
    try {
      CompletableFuture.anyOf(future.toCompletionStage().toCompletableFuture(), gone)
          .get(timeoutSeconds, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new IOException("the client went away: " + e.getMessage(), e);
    } catch (TimeoutException e) {
      throw new IOException("the client read nothing for " + timeoutSeconds + " s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while answering", e);
    }
  }

  /** Ends the connection: the answer can't be completed. */
  void abort() {
    note();
    request.connection().close();
  }
}
