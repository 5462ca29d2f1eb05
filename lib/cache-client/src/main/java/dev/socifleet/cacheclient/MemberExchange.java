package dev.socifleet.cacheclient;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Requests to one member, and what their failures say of it: one that fails is left alone for a
 * while ({@link BackOff}), until then each request fails at once. Thread-safe.
 */
final class MemberExchange {
  private final CacheMembers members;
  private final URI uri;
  private final BackOff backOff;

  MemberExchange(CacheMembers members, URI uri, LongSupplier nanos) {
    this.members = members;
    this.uri = uri;
    // A try that fails takes two timeouts at most: to the answer, and to a span in its middle.
    backOff = new BackOff(members.timeout().multipliedBy(2), nanos);
  }

  boolean quiet() {
    return backOff.quiet();
  }

  /** Reads an answer; what it throws is the member's failure, but for a {@link SinkFailure}. */
  @FunctionalInterface
  interface Reading<T> {
    T of(HttpResponse<InputStream> answer) throws IOException;
  }

  /** The caller's own failure, on its way past what is made of the member's. */
  static final class SinkFailure extends IOException {
    private final IOException failure;

    SinkFailure(IOException failure) {
      super(failure);
      this.failure = failure;
    }
  }

  /**
   * @param patience how long to wait for the answer's head
   * @throws CacheDeniedException the registry would not give this to the caller
   * @throws CacheUnavailableException for anything else that the member is to blame for
   */
  <T> T call(HttpRequest request, Duration patience, Reading<T> reading) throws IOException {
    if (!backOff.enter()) {
      throw unavailable("it failed a moment ago", null);
    }
    try {
      T result = read(members.send(request, patience), reading);
      backOff.succeeded();
      return result;
    } catch (InterruptedException e) {
      backOff.abandoned();
      Thread.currentThread().interrupt();
      throw unavailable("interrupted", e);
    } catch (SinkFailure e) {
      backOff.succeeded();
      throw e.failure;
    } catch (CacheDeniedException e) {
      backOff.succeeded();
      throw e;
    } catch (MemberRefusal e) {
      backOff.succeeded();
      e.pause().ifPresent(backOff::pause);
      throw unavailable(String.valueOf(e.getMessage()), e);
    } catch (TimeoutException e) {
      backOff.failed();
      throw unavailable("no answer within " + patience.toMillis() + " ms", e);
    } catch (EOFException e) {
      backOff.failed();
      throw unavailable("its answer was cut off", e);
    } catch (IOException e) {
      backOff.failed();
      throw unavailable(String.valueOf(e.getMessage()), e);
    }
  }

  private static <T> T read(HttpResponse<InputStream> answer, Reading<T> reading)
      throws IOException {
    try (InputStream body = answer.body()) {
      T result = reading.of(answer);
      // What is left, an error's text or nothing, is read so that the connection can be kept.
      if (body.readNBytes(MemberRefusal.LARGEST_ERROR).length == MemberRefusal.LARGEST_ERROR) {
        throw new IOException("its answer goes on and on");
      }
      return result;
    }
  }

  private CacheUnavailableException unavailable(String why, @Nullable Throwable cause) {
    return new CacheUnavailableException("cache member " + uri + " can't help: " + why, cause);
  }
}
