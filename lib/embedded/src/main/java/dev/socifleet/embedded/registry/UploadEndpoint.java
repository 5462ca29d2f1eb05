package dev.socifleet.embedded.registry;

import dev.socifleet.embedded.registry.Uploads.Upload;
import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code /v2/<name>/blobs/uploads/}: begin, mount or send at once by POST; PATCH, GET, DELETE and
 * PUT of an upload that was begun.
 */
final class UploadEndpoint {
  private static final Pattern CONTENT_RANGE =
      Pattern.compile("(?:bytes[ =])?(\\d{1,18})-(\\d{1,18})(?:/.*)?");

  private static final long LOCK_SECONDS = 5;

  private final RepositoryStore repositories;
  private final Uploads uploads;

  UploadEndpoint(RepositoryStore repositories, Uploads uploads) {
    this.repositories = repositories;
    this.uploads = uploads;
  }

  void begin(Exchange exchange, String repository, Predicate<String> mayPull)
      throws IOException, Problem {
    if (!exchange.method().equals("POST")) {
      throw Problem.unsupported(exchange.method());
    }
    Optional<String> mount = exchange.parameter("mount");
    Optional<String> from = exchange.parameter("from");
    if (mount.isPresent() && from.isPresent()) {
      Digest digest = Endpoints.digest(mount.get());
      String source = Endpoints.checkedName(from.get());
      if (mayPull.test(source) && repositories.blobSize(source, digest).isPresent()) {
        repositories.addBlob(repository, digest);
        created(exchange, repository, digest);
        return;
      }
    }
    Optional<String> whole = exchange.parameter("digest");
    Optional<Digest> digest =
        whole.isPresent() ? Optional.of(Endpoints.digest(whole.get())) : Optional.empty();
    Upload upload = uploads.begin(repository);
    if (digest.isPresent()) {
      upload.lock.lock();
      try {
        upload.append(exchange.body());
        commit(exchange, repository, upload, digest.get());
      } finally {
        upload.lock.unlock();
      }
      return;
    }
    exchange.answer(202, progress(repository, upload, 0));
  }

  void go(Exchange exchange, String repository, String id) throws IOException, Problem {
    Upload upload = uploads.find(repository, id);
    if (exchange.method().equals("GET") || exchange.head()) {
      exchange.answer(204, progress(repository, upload, received(upload)));
      return;
    }
    // A sender whose connection broke comes back before the end of its first request is noticed.
    if (!locked(upload)) {
      throw new Problem(
          409,
          "BLOB_UPLOAD_INVALID",
          "another request of this upload is still running",
          Map.of("Retry-After", "1"));
    }
    try {
      change(exchange, repository, upload);
    } finally {
      upload.lock.unlock();
    }
  }

  private void change(Exchange exchange, String repository, Upload upload)
      throws IOException, Problem {
    long received = received(upload);
    switch (exchange.method()) {
      case "PATCH" -> {
        append(exchange, repository, upload, received);
        exchange.answer(202, progress(repository, upload, received(upload)));
      }
      case "PUT" -> {
        String text =
            exchange
                .parameter("digest")
                .orElseThrow(() -> new Problem(400, "DIGEST_INVALID", "say ?digest="));
        Digest digest = Endpoints.digest(text);
        append(exchange, repository, upload, received);
        commit(exchange, repository, upload, digest);
      }
      case "DELETE" -> {
        uploads.cancel(upload);
        exchange.answer(204, Map.of());
      }
      default -> throw Problem.unsupported(exchange.method());
    }
  }

  private static boolean locked(Upload upload) throws IOException {
    try {
      return upload.lock.tryLock(LOCK_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while waiting for an upload", e);
    }
  }

  private static long received(Upload upload) throws IOException, Problem {
    return upload.received().orElseThrow(Problem::unknownUpload);
  }

  private void append(Exchange exchange, String repository, Upload upload, long received)
      throws IOException, Problem {
    Optional<Long> promised = checkRange(exchange, repository, upload, received);
    upload.append(exchange.body());
    long now = received(upload);
    if (promised.isPresent() && now != promised.get()) {
      throw new Problem(
          400,
          "SIZE_INVALID",
          "Content-Range promised "
              + (promised.get() - received)
              + " bytes, "
              + (now - received)
              + " came; begin a new upload");
    }
  }

  /** A Content-Range must begin where the upload ends. Returns where it says that it will end. */
  private static Optional<Long> checkRange(
      Exchange exchange, String repository, Upload upload, long received) throws Problem {
    Optional<String> header = exchange.header("Content-Range");
    if (header.isEmpty()) {
      return Optional.empty();
    }
    Matcher range = CONTENT_RANGE.matcher(header.get());
    if (!range.matches() || Long.parseLong(range.group(1)) != received) {
      throw new Problem(
          416,
          "BLOB_UPLOAD_INVALID",
          "the upload has " + received + " bytes; go on from there",
          progress(repository, upload, received));
    }
    return Optional.of(Long.parseLong(range.group(2)) + 1);
  }

  private void commit(Exchange exchange, String repository, Upload upload, Digest digest)
      throws IOException, Problem {
    uploads.commit(upload, digest);
    repositories.addBlob(repository, digest);
    created(exchange, repository, digest);
  }

  private static void created(Exchange exchange, String repository, Digest digest)
      throws IOException {
    exchange.answer(
        201,
        Map.of(
            "Location",
            "/v2/" + repository + "/blobs/" + digest,
            "Docker-Content-Digest",
            digest.toString()));
  }

  private static Map<String, String> progress(String repository, Upload upload, long received) {
    return Map.of(
        "Location",
        "/v2/" + repository + "/blobs/uploads/" + upload.id,
        // "0-0" is what the specification's clients expect of an empty upload.
        "Range",
        "0-" + Math.max(0, received - 1),
        "Docker-Upload-UUID",
        upload.id);
  }
}
