package dev.socifleet.fetchcache;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** How a caller is told why not: {@code {"code": "…", "message": "…"}}. */
final class RefusalAnswer {
  private static final JsonMapper JSON = new JsonMapper();

  private RefusalAnswer() {}

  /** The body of the request may not have been read: then the connection ends. */
  static void send(HttpServerRequest request, Refusal why) {
    byte[] body = body(why);
    var _ =
        Wire.send(
            request,
            () -> {
              HttpServerResponse response = request.response();
              why.retryAfter().ifPresent(after -> putRetryAfter(response, after));
              if (why.status() == 401) {
                response.putHeader("WWW-Authenticate", "Bearer");
              }
              boolean last = RequestBody.expected(request) && !request.isEnded();
              if (last) {
                response.putHeader("Connection", "close");
              }
              Future<Void> sent =
                  response
                      .setStatusCode(why.status())
                      .putHeader("Content-Type", "application/json")
                      .end(Buffer.buffer(body));
              return last ? sent.onComplete(done -> Wire.endAfterAnswer(request)) : sent;
            });
  }

  private static void putRetryAfter(HttpServerResponse response, Duration after) {
    response.putHeader("Retry-After", Long.toString(Math.max(1, after.toSeconds())));
  }

  private static byte[] body(Refusal why) {
    try {
      String json =
          JSON.writeValueAsString(
              JSON.createObjectNode().put("code", why.code()).put("message", why.text()));
      return (json + "\n").getBytes(StandardCharsets.UTF_8);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of texts is always JSON", e);
    }
  }
}
