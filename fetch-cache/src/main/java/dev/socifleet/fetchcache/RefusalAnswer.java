package dev.socifleet.fetchcache;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.vertx.core.Future;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;

/** How a caller is told why not: {@code {"code": "…", "message": "…"}}. */
final class RefusalAnswer {
  private static final JsonMapper JSON = new JsonMapper();

  private RefusalAnswer() {}

  /** The body of the request may not have been read: then the connection ends. */
  static void send(HttpServerRequest request, Refusal why) {
    HttpServerResponse response = request.response();
    why.retryAfter()
        .ifPresent(after ->
            response.putHeader("Retry-After", Long.toString(Math.max(1, after.toSeconds()))));
    boolean last = RequestBody.expected(request) && !request.isEnded();
    if (last) {
      response.putHeader("Connection", "close");
    }
    if (why.status() == 401) {
      response.putHeader("WWW-Authenticate", "Bearer");
    }
    String body;
    try {
      body =
          JSON.writeValueAsString(
                  JSON.createObjectNode().put("code", why.code()).put("message", why.text()))
              + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of texts is always JSON", e);
    }
    Future<Void> sent =
        response
            .setStatusCode(why.status())
            .putHeader("Content-Type", "application/json")
            .end(body);
    if (last) {
      sent.onComplete(done -> Wire.endAfterAnswer(request));
    }
  }
}
