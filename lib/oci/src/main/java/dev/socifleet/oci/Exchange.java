package dev.socifleet.oci;

import java.io.IOException;
import java.net.ConnectException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** One request and its answer, and what an answer that isn't the wanted one means. */
final class Exchange {
  private static final int LARGEST_ERROR = 64 << 10;
  private static final Duration ERROR_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration LONGEST_RETRY_AFTER = Duration.ofHours(1);

  private Exchange() {}

  /**
   * Sends and waits for the answer's head. Not by the request's own timeout: in newer JDKs that one
   * counts the body as well, and a large blob may take long.
   */
  static HttpResponse<AnswerBody> send(
      HttpClient client, HttpRequest request, Duration timeout, Duration stall)
      throws IOException, InterruptedException {
    CompletableFuture<HttpResponse<AnswerBody>> answer =
        client.sendAsync(request, AnswerBody.handler(stall));
    try {
      return answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      abandon(answer);
      throw new HttpTimeoutException("no answer for " + timeout.toMillis() / 1000.0 + " s");
    } catch (InterruptedException e) {
      abandon(answer);
      throw e;
    } catch (ExecutionException e) {
      for (Throwable why = e.getCause(); why != null; why = why.getCause()) {
        if (why instanceof RegistryException own) {
          throw own; // of the body's
        }
      }
      if (e.getCause() instanceof IOException cause) {
        throw cause;
      }
      throw new IOException("the request failed: " + e.getCause(), e);
    }
  }

  /** Takes the connection along, also where the answer came just now. */
  private static void abandon(CompletableFuture<HttpResponse<AnswerBody>> answer) {
    answer.cancel(true);
    if (answer.state() == Future.State.SUCCESS) {
      answer.resultNow().body().close();
    }
  }

  /** Ends the use of an answer whose body says nothing. */
  static void discard(HttpResponse<AnswerBody> response) {
    response.body().release(LARGEST_ERROR);
  }

  /**
   * The failure that an answer is; ends its use.
   *
   * @param said what failed, as "cannot …"
   */
  static RegistryException failure(String said, HttpResponse<AnswerBody> response) {
    byte[] body;
    try (AnswerBody stream = response.body()) {
      stream.endWithin(ERROR_TIMEOUT);
      body = stream.readNBytes(LARGEST_ERROR);
      stream.release(0);
    } catch (IOException e) {
      body = new byte[0]; // the status says enough; the body would only have explained it
    }
    ErrorBody errors = ErrorBody.read(body);
    int status = response.statusCode();
    String advice =
        status == 401 || status == 403
            ? " (log in, or configure a credential for this repository)"
            : "";
    return new RegistryException(
        said + ": " + status + errors.reasons() + advice,
        status,
        errors.codes(),
        isTemporary(status),
        retryAfter(response),
        null);
  }

  static boolean isTemporary(int status) {
    return status == 408 || status == 425 || status == 429 || (status >= 500 && status != 501);
  }

  static @Nullable Duration retryAfter(HttpResponse<?> response) {
    String value = response.headers().firstValue("Retry-After").orElse("").strip();
    if (value.isEmpty()) {
      return null;
    }
    try {
      return Duration.ofSeconds(
          Math.clamp(Long.parseLong(value), 0, LONGEST_RETRY_AFTER.toSeconds()));
    } catch (NumberFormatException e) {
      try {
        Duration until =
            Duration.between(
                ZonedDateTime.now(ZoneOffset.UTC),
                ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME));
        return Duration.ofSeconds(
            Math.clamp(until.toSeconds(), 0, LONGEST_RETRY_AFTER.toSeconds()));
      } catch (DateTimeParseException unreadable) {
        return null;
      }
    }
  }

  /** What an exception says, in a line; some of the JDK's have no message of their own. */
  static String said(IOException e) {
    if (e instanceof ConnectException && e.getMessage() == null) {
      return isUnresolved(e) ? "the host's name has no address" : "no connection";
    }
    return ErrorBody.harmless(e.getMessage() == null ? e.toString() : e.getMessage());
  }

  private static boolean isUnresolved(Throwable failure) {
    for (@Nullable Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof UnresolvedAddressException) {
        return true;
      }
    }
    return false;
  }
}
