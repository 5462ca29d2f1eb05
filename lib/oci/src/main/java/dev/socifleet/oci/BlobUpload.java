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

/**
 * One upload session: POST, PATCH a chunk at a time, PUT with the digest; or a single PUT for what
 * fits one chunk (distribution specification, "Pushing blobs"). A broken session is begun anew, a
 * few times. One use.
 */
final class BlobUpload {
  private static final int CHUNK = 16 << 20;
  private static final int ATTEMPTS = 3;
  private static final String PUSH = "pull,push";

  private final RegistryHttp http;
  private final RepositoryName repository;

  BlobUpload(RegistryHttp http, RepositoryName repository) {
    this.http = http;
    this.repository = repository;
  }

  void upload(Digest blob, long size, BlobContent content) throws RegistryException {
    String action = "upload blob " + blob;
    for (int attempt = 1; ; attempt++) {
      try (InputStream bytes = content.open()) {
        session(action, blob, size, bytes);
        return;
      } catch (RegistryException e) {
        if ((!e.temporary() && e.status() != 404) || attempt == ATTEMPTS) {
          throw e;
        }
      } catch (IOException e) {
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
    }
  }

  boolean mount(Digest blob, RepositoryName from) throws RegistryException {
    String query =
        "blobs/uploads/?mount=" + encode(blob.toString()) + "&from=" + encode(from.name());
    HttpResponse<InputStream> response =
        http.expect(
            new RegistryHttp.Request(
                "mount blob " + blob,
                "POST",
                http.uri(query),
                Map.of(),
                PUSH,
                HttpRequest.BodyPublishers::noBody),
            201,
            202);
    RegistryHttp.discard(response);
    if (response.statusCode() == 202) {
      // Not mounted: the registry opened an upload session instead, which nobody will use.
      location(response, http.uri("")).ifPresent(this::cancel);
      return false;
    }
    return true;
  }

  private void session(String action, Digest blob, long size, InputStream bytes)
      throws IOException {
    URI start = http.uri("blobs/uploads/");
    HttpResponse<InputStream> opened =
        http.expect(
            new RegistryHttp.Request(
                action, "POST", start, Map.of(), PUSH, HttpRequest.BodyPublishers::noBody),
            202);
    RegistryHttp.discard(opened);
    URI session =
        location(opened, start)
            .orElseThrow(() -> refused(action, "the registry named no upload address"));
    MessageDigest hash = blob.newMessageDigest();
    long sent = 0;
    byte[] last = new byte[0];
    while (sent + last.length < size) {
      byte[] chunk = bytes.readNBytes((int) Math.min(CHUNK, size - sent));
      if (chunk.length == 0) {
        throw refused(action, "its bytes end after " + sent + " of " + size);
      }
      hash.update(chunk);
      if (sent + chunk.length == size) {
        last = chunk;
        break;
      }
      session = patch(action, session, sent, chunk);
      sent += chunk.length;
    }
    if (!Arrays.equals(hash.digest(), blob.hash())) {
      throw refused(action, "its bytes have another digest");
    }
    byte[] rest = last;
    URI commit =
        URI.create(
            session
                + (session.getRawQuery() == null ? "?" : "&")
                + "digest="
                + encode(blob.toString()));
    RegistryHttp.discard(
        http.expect(
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

  private URI patch(String action, URI session, long sent, byte[] chunk) throws RegistryException {
    var request =
        new RegistryHttp.Request(
            action,
            "PATCH",
            session,
            Map.of(
                "Content-Type",
                "application/octet-stream",
                "Content-Range",
                sent + "-" + (sent + chunk.length - 1)),
            PUSH,
            () -> HttpRequest.BodyPublishers.ofByteArray(chunk));
    HttpResponse<InputStream> response = http.expect(request, 202, 204);
    RegistryHttp.discard(response);
    return location(response, session).orElse(session);
  }

  private void cancel(URI session) {
    try {
      RegistryHttp.discard(
          http.send(
              new RegistryHttp.Request(
                  "cancel an upload", "DELETE", session, Map.of(), PUSH, null)));
    } catch (RegistryException e) {
      org.slf4j.LoggerFactory.getLogger(BlobUpload.class).debug("{}", e.getMessage());
    }
  }

  /**
   * Where the registry wants the next request; on its own host only, since our token goes along.
   */
  private java.util.Optional<URI> location(HttpResponse<InputStream> response, URI base) {
    return response
        .headers()
        .firstValue("Location")
        .map(location -> RegistryHttp.resolve(base, location))
        .filter(location -> base.getAuthority().equals(location.getAuthority()));
  }

  private RegistryException refused(String action, String why) {
    return new RegistryException(
        "cannot " + action + " (" + repository + "): " + why, 0, List.of(), false, null, null);
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
