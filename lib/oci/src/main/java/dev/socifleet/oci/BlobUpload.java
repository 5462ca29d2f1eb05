package dev.socifleet.oci;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One upload session: POST, PATCH a chunk at a time, PUT with the digest; or a single PUT for what
 * fits one chunk and where the registry takes no chunks (distribution specification, "Pushing
 * blobs"). A chunk whose answer is lost goes on where the registry says that it stands; where that
 * is nowhere the upload is begun anew, a few times. One use.
 */
final class BlobUpload {
  private static final Logger LOG = LoggerFactory.getLogger(BlobUpload.class);
  private static final int CHUNK = 16 << 20;
  private static final int LARGEST_CHUNK = 64 << 20;
  private static final int ATTEMPTS = 4;
  private static final Pattern RECEIVED = Pattern.compile("(?:bytes=)?0-(\\d{1,18})");

  private final RegistryHttp http;
  private final RepositoryName repository;

  /** Of the session that runs, to be given up when it fails. */
  private @Nullable URI session;

  /** The registry takes no chunks. */
  private boolean whole;

  /** A chunk was the last thing sent. */
  private boolean chunking;

  BlobUpload(RegistryHttp http, RepositoryName repository) {
    this.http = http;
    this.repository = repository;
  }

  /**
   * @param present asked before another attempt: an upload whose answer was lost may have succeeded
   */
  void upload(Digest blob, long size, BlobContent content, Presence present)
      throws RegistryException {
    String action = "upload blob " + blob;
    for (int attempt = 1; ; attempt++) {
      try {
        transfer(action, blob, size, content);
        return;
      } catch (RegistryException e) {
        giveUp();
        boolean unchunked = !whole && refusesChunks(e);
        whole |= unchunked;
        boolean again = unchunked || e.temporary() || lostSession(e);
        if (!again || attempt == ATTEMPTS || Thread.currentThread().isInterrupted()) {
          throw e;
        }
        http.pause(action, attempt, e);
      } catch (IOException e) {
        giveUp();
        throw new RegistryException(
            "cannot "
                + action
                + " ("
                + repository
                + "): its bytes can't be read: "
                + e.getMessage(),
            0,
            List.of(),
            true,
            null,
            e);
      }
      if (present.now()) {
        return;
      }
    }
  }

  private static boolean lostSession(RegistryException e) {
    return e.status() == 404 || e.status() == 409 || e.status() == 416;
  }

  private boolean refusesChunks(RegistryException e) {
    return chunking && (e.status() == 400 || e.status() == 405 || e.status() == 501);
  }

  /** Whether the repository has the blob. */
  @FunctionalInterface
  interface Presence {
    boolean now() throws RegistryException;
  }

  /** Whether the registry took the blob over; any permanent refusal means: upload it. */
  boolean mount(Digest blob, RepositoryName from) throws RegistryException {
    URI start =
        http.uri(
            "blobs/uploads/?mount=" + encode(blob.toString()) + "&from=" + encode(from.name()));
    HttpResponse<AnswerBody> response;
    try {
      response =
          http.send(
              new RegistryHttp.Request(
                  "mount blob " + blob,
                  "POST",
                  start,
                  Map.of(),
                  Scope.mount(from),
                  HttpRequest.BodyPublishers::noBody));
    } catch (RegistryException e) {
      if (e.denied()) {
        return false; // the token server gives no token for both repositories
      }
      throw e;
    }
    Exchange.discard(response);
    if (response.statusCode() == 202) {
      // Not mounted: the registry opened an upload session instead, which nobody will use.
      session = location(response, start).orElse(null);
      giveUp();
    }
    return response.statusCode() == 201;
  }

  private void transfer(String action, Digest blob, long size, BlobContent content)
      throws IOException {
    URI start = http.uri("blobs/uploads/");
    chunking = false;
    HttpResponse<AnswerBody> opened =
        http.expect(
            new RegistryHttp.Request(
                action, "POST", start, Map.of(), Scope.PUSH, HttpRequest.BodyPublishers::noBody),
            202);
    Exchange.discard(opened);
    URI address =
        location(opened, start)
            .orElseThrow(
                () -> refused(action, "the registry named no upload address on its own host"));
    session = address;
    if (whole) {
      commit(action, address, blob, () -> whole(size, () -> checked(action, blob, size, content)));
    } else {
      try (InputStream bytes = checked(action, blob, size, content)) {
        byte[] last = chunks(action, size, bytes, chunkSize(opened));
        commit(
            action,
            Objects.requireNonNull(session),
            blob,
            () -> HttpRequest.BodyPublishers.ofByteArray(last));
      }
    }
    session = null;
  }

  private static HttpRequest.BodyPublisher whole(long size, Supplier<InputStream> bytes) {
    return HttpRequest.BodyPublishers.fromPublisher(
        HttpRequest.BodyPublishers.ofInputStream(bytes), size);
  }

  private CheckedBlob checked(String action, Digest blob, long size, BlobContent content) {
    return new CheckedBlob(blob, size, content, why -> refused(action, "its bytes " + why));
  }

  /**
   * Sends all but the last chunk, and gives that one.
   *
   * @param bytes size of them
   */
  private byte[] chunks(String action, long size, InputStream bytes, int chunkSize)
      throws IOException {
    long sent = 0;
    for (; size - sent > chunkSize; sent += chunkSize) {
      byte[] chunk = bytes.readNBytes(chunkSize);
      chunking = true;
      send(action, sent, chunk);
      chunking = false;
    }
    return bytes.readNBytes(chunkSize);
  }

  /** Sends a chunk, or what the registry doesn't have of it after an answer was lost. */
  private void send(String action, long start, byte[] chunk) throws RegistryException {
    int done = 0;
    for (int attempt = 1; done < chunk.length; attempt++) {
      try {
        patch(action, start, chunk, done);
        return;
      } catch (RegistryException e) {
        if (!e.temporary() || attempt == ATTEMPTS || Thread.currentThread().isInterrupted()) {
          throw e;
        }
        http.pause(action, attempt, e);
        long has = received(action, start) - start;
        if (has < 0 || has > chunk.length) {
          throw e;
        }
        done = (int) has;
      }
    }
  }

  private void patch(String action, long start, byte[] chunk, int from) throws RegistryException {
    URI address = Objects.requireNonNull(session);
    var request =
        new RegistryHttp.Request(
            action,
            "PATCH",
            address,
            Map.of(
                "Content-Type",
                "application/octet-stream",
                "Content-Range",
                (start + from) + "-" + (start + chunk.length - 1)),
            Scope.PUSH,
            () -> HttpRequest.BodyPublishers.ofByteArray(chunk, from, chunk.length - from));
    HttpResponse<AnswerBody> response = http.expectOnce(request, 202, 204);
    Exchange.discard(response);
    session = location(response, address).orElse(address);
  }

  /** How many bytes the registry has of this session; negative where it doesn't say. */
  private long received(String action, long expected) throws RegistryException {
    URI address = Objects.requireNonNull(session);
    HttpResponse<AnswerBody> response =
        http.expect(
            new RegistryHttp.Request(action, "GET", address, Map.of(), Scope.PUSH, null), 204);
    Exchange.discard(response);
    session = location(response, address).orElse(address);
    String range = response.headers().firstValue("Range").orElse("");
    if (expected == 0 && range.equals("0-0")) {
      return 0; // or one byte: there is no other way to say that there are none
    }
    Matcher received = RECEIVED.matcher(range);
    return received.matches() ? Long.parseLong(received.group(1)) + 1 : -1;
  }

  private void commit(
      String action, URI address, Digest blob, Supplier<HttpRequest.BodyPublisher> rest)
      throws RegistryException {
    URI commit =
        URI.create(
            address
                + (address.getRawQuery() == null ? "?" : "&")
                + "digest="
                + encode(blob.toString()));
    Exchange.discard(
        http.expectOnce(
            new RegistryHttp.Request(
                action,
                "PUT",
                commit,
                Map.of("Content-Type", "application/octet-stream"),
                Scope.PUSH,
                rest),
            201,
            204));
  }

  /** Ours, unless the registry wants larger ones. */
  private static int chunkSize(HttpResponse<AnswerBody> opened) {
    String least = opened.headers().firstValue("OCI-Chunk-Min-Length").orElse("");
    return least.matches("[0-9]{1,9}")
        ? Math.clamp(Long.parseLong(least), CHUNK, LARGEST_CHUNK)
        : CHUNK;
  }

  private void giveUp() {
    URI address = session;
    session = null;
    if (address == null) {
      return;
    }
    try {
      Exchange.discard(
          http.sendOnce(
              new RegistryHttp.Request(
                  "cancel an upload", "DELETE", address, Map.of(), Scope.PUSH, null)));
    } catch (RegistryException e) {
      LOG.debug("{}", e.getMessage());
    }
  }

  /**
   * Where the registry wants the next request; on its own host only, since our token goes along,
   * and by our own scheme: a registry behind a proxy doesn't always know that it is https.
   */
  private static Optional<URI> location(HttpResponse<AnswerBody> response, URI base) {
    Optional<String> header = response.headers().firstValue("Location");
    URI target = header.isEmpty() ? null : RegistryHttp.resolve(base, header.get());
    if (target == null
        || target.getHost() == null
        || target.getRawPath() == null
        || !target.getHost().equalsIgnoreCase(base.getHost())) {
      return Optional.empty();
    }
    boolean samePort =
        target.getPort() == base.getPort()
            || (target.getPort() < 0 && !base.getScheme().equals(target.getScheme()))
            || port(target) == port(base);
    if (!samePort) {
      return Optional.empty();
    }
    String query = target.getRawQuery() == null ? "" : "?" + target.getRawQuery();
    return Optional.of(
        URI.create(
            base.getScheme() + "://" + base.getRawAuthority() + target.getRawPath() + query));
  }

  private static int port(URI address) {
    return address.getPort() >= 0
        ? address.getPort()
        : "https".equals(address.getScheme()) ? 443 : 80;
  }

  private RegistryException refused(String action, String why) {
    return new RegistryException(
        "cannot " + action + " (" + repository + "): " + why, 0, List.of(), false, null, null);
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
