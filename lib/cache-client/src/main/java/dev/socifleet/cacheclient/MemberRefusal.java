package dev.socifleet.cacheclient;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/** The member is well, but doesn't answer this: no reason to leave it alone, unless it says so. */
final class MemberRefusal extends IOException {
  static final int LARGEST_ERROR = 64 << 10;
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);
  private static final JsonMapper JSON = new JsonMapper();

  private final transient Optional<Duration> pause;

  private MemberRefusal(String message, Optional<Duration> pause) {
    super(message);
    this.pause = pause;
  }

  /** How long it wants not to be asked. */
  Optional<Duration> pause() {
    return pause;
  }

  /** What an answer that isn't the one hoped for means. */
  static IOException of(HttpResponse<InputStream> answer) throws IOException {
    byte[] body = answer.body().readNBytes(LARGEST_ERROR);
    String message;
    try {
      message = JSON.readTree(body).path("message").asText("");
    } catch (IOException e) {
      message = "";
    }
    int status = answer.statusCode();
    return of(
        status,
        status + (message.isEmpty() ? "" : ": " + message),
        status == 503 ? retryAfter(answer) : Optional.empty());
  }

  private static Optional<Duration> retryAfter(HttpResponse<?> answer) {
    OptionalLong seconds;
    try {
      seconds = answer.headers().firstValueAsLong("Retry-After");
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
    return seconds.isEmpty()
        ? Optional.empty()
        : Optional.of(
            Duration.ofSeconds(Math.clamp(seconds.getAsLong(), 0, LONGEST_PAUSE.toSeconds())));
  }

  /** What an error frame means. */
  static IOException of(SpanFrames.ErrorFrameException frame) {
    return of(frame.status(), frame.status() + ": " + frame.getMessage(), Optional.empty());
  }

  private static IOException of(int status, String message, Optional<Duration> pause) {
    return switch (status) {
      case 403 -> new CacheDeniedException("the cache refuses: " + message);
      case 400, 401, 404, 408, 409, 411, 413, 422, 502, 503, 504 ->
          new MemberRefusal(message, pause);
      default -> new IOException(message);
    };
  }
}
