package dev.socifleet.oci;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One upload session: POST, PATCH a chunk at a time, PUT with the digest; or a single PUT for what
 * fits one chunk (distribution specification, "Pushing blobs"). A broken session is begun anew, a
 * few times: a chunk can't simply be sent again, the registry may have some of it. One use.
 */
final class BlobUpload {
  private static final Logger LOG = LoggerFactory.getLogger(BlobUpload.class);
  private static final int CHUNK = 16 << 20;
  private static final int LARGEST_CHUNK = 64 << 20;
  private static final int ATTEMPTS = 4;
  private static final String PUSH = "pull,push";

  private final RegistryHttp http;
  private final RepositoryName repository;

  /** Of the session that runs, to be given up when it fails. */
  private @Nullable URI session;

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
      try (InputStream bytes = content.open()) {
        transfer(action, blob, size, bytes);
        return;
      } catch (RegistryException e) {
        giveUp();
        boolean lostSession = e.status() == 404 || e.status() == 409 || e.status() == 416;
        if ((!e.temporary() && !lostSession)
            || attempt == ATTEMPTS
            || Thread.currentThread().isInterrupted()) {
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

  /** Whether the repository has the blob. */
  @FunctionalInterface
  interface Presence {
    boolean now() throws RegistryException;
  }

  boolean mount(Digest blob, RepositoryName from) throws RegistryException {
    URI start =
        http.uri(
            "blobs/uploads/?mount=" + encode(blob.toString()) + "&from=" + encode(from.name()));
    HttpResponse<AnswerBody> response =
        http.expect(
            new RegistryHttp.Request(
                "mount blob " + blob,
                "POST",
                start,
                Map.of(),
                PUSH,
                HttpRequest.BodyPublishers::noBody),
            201,
            202);
    RegistryHttp.discard(response);
    if (response.statusCode() == 202) {
      // Not mounted: the registry opened an upload session instead, which nobody will use.
      session = location(response, start).orElse(null);
      giveUp();
      return false;
    }
    return true;
  }

  private void transfer(String action, Digest blob, long size, InputStream bytes)
      throws IOException {
    URI start = http.uri("blobs/uploads/");
    HttpResponse<AnswerBody> opened =
        http.expect(
            new RegistryHttp.Request(
                action, "POST", start, Map.of(), PUSH, HttpRequest.BodyPublishers::noBody),
            202);
    RegistryHttp.discard(opened);
    URI address =
        location(opened, start)
            .orElseThrow(
                () -> refused(action, "the registry named no upload address on its own host"));
    session = address;
    int chunkSize = chunkSize(opened);
    MessageDigest hash = blob.newMessageDigest();
    long sent = 0;
    byte[] last = new byte[0];
    while (sent + last.length < size) {
      byte[] chunk = bytes.readNBytes((int) Math.min(chunkSize, size - sent));
      if (chunk.length == 0) {
        throw refused(action, "its bytes end after " + sent + " of " + size);
      }
      hash.update(chunk);
      if (sent + chunk.length == size) {
        last = chunk;
        break;
      }
      address = patch(action, address, sent, chunk);
      session = address;
      sent += chunk.length;
    }
    if (!Arrays.equals(hash.digest(), blob.hash())) {
      throw refused(action, "its bytes have another digest");
    }
    commit(action, address, blob, last);
    session = null;
  }

  private URI patch(String action, URI address, long sent, byte[] chunk) throws RegistryException {
    var request =
        new RegistryHttp.Request(
            action,
            "PATCH",
            address,
            Map.of(
                "Content-Type",
                "application/octet-stream",
                "Content-Range",
                sent + "-" + (sent + chunk.length - 1)),
            PUSH,
            () -> HttpRequest.BodyPublishers.ofByteArray(chunk));
    HttpResponse<AnswerBody> response = http.expectOnce(request, 202, 204);
    RegistryHttp.discard(response);
    return location(response, address).orElse(address);
  }

  private void commit(String action, URI address, Digest blob, byte[] rest)
      throws RegistryException {
    URI commit =
        URI.create(
            address
                + (address.getRawQuery() == null ? "?" : "&")
                + "digest="
                + encode(blob.toString()));
    RegistryHttp.discard(
        http.expectOnce(
            new RegistryHttp.Request(
                action,
                "PUT",
                commit,
                Map.of("Content-Type", "application/octet-stream"),
                PUSH,
                () -> HttpRequest.BodyPublishers.ofByteArray(rest)),
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
      RegistryHttp.discard(
          http.sendOnce(
              new RegistryHttp.Request(
                  "cancel an upload", "DELETE", address, Map.of(), PUSH, null)));
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
