package dev.socifleet.fetchcache;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The body of a request. Such a request is paused when it arrives: nothing of its body is read
 * before its length and its sender's rights are known.
 */
final class RequestBody {
  private static final int SECONDS = 60;

  private RequestBody() {}

  static boolean expected(HttpServerRequest request) {
    String length = request.getHeader("Content-Length");
    return request.getHeader("Transfer-Encoding") != null
        || (length != null && !length.equals("0"));
  }

  /** The length that the sender gives, which must be at most {@code longest} bytes. */
  static int length(HttpServerRequest request, long longest) throws Refusal {
    String text = request.getHeader("Content-Length");
    if (text == null || !text.matches("\\d{1,18}")) {
      throw Refusal.of(411, "length-required", "the request needs a body and its Content-Length");
    }
    long length = Long.parseLong(text);
    if (length < 1 || length > longest) {
      throw Refusal.of(
          413, "too-large", "a body of " + length + " bytes; 1 to " + longest + " are taken");
    }
    return (int) length;
  }

  /** Reads the body of a paused request. */
  static byte[] read(HttpServerRequest request, int length) throws Refusal, InterruptedException {
    byte[] body = new byte[length];
    int[] at = {0};
    CompletableFuture<Boolean> whole = new CompletableFuture<>();
    request.handler((Buffer chunk) -> {
      if (at[0] + chunk.length() <= length) {
        chunk.getBytes(body, at[0]);
      }
      at[0] += chunk.length();
    });
    request.endHandler(end -> whole.complete(at[0] == length));
    request.exceptionHandler(whole::completeExceptionally);
    request.resume();
    try {
      if (await(whole, request)) {
        return body;
      }
      throw Refusal.malformed("the body has not the length that was said");
    } catch (ExecutionException e) {
      throw Refusal.malformed("the body did not come whole: " + e.getCause());
    }
  }

  private static boolean await(CompletableFuture<Boolean> whole, HttpServerRequest request)
      throws Refusal, ExecutionException, InterruptedException {
    for (int second = 0; second < SECONDS; second++) {
      try {
        return whole.get(1, TimeUnit.SECONDS);
      } catch (TimeoutException e) {
        // A connection that ended while the request was paused is told to nobody.
        if (!Wire.isOpen(request)) {
          throw Refusal.malformed("the connection ended before the body");
        }
      }
    }
    throw Refusal.of(408, "too-slow", "the body did not come within " + SECONDS + " s");
  }
}
