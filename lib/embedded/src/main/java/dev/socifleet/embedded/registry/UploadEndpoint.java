package dev.socifleet.embedded.registry;

import dev.socifleet.embedded.registry.Uploads.Upload;
import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
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
    if (!upload.lock.tryLock()) {
      throw new Problem(
          409, "BLOB_UPLOAD_INVALID", "another request of this upload is still running");
    }
    try {
      long received = upload.received().orElseThrow(Problem::unknownUpload);
      switch (exchange.method()) {
        case "GET", "HEAD" -> exchange.answer(204, progress(repository, upload, received));
        case "PATCH" -> {
          append(exchange, repository, upload, received);
          exchange.answer(
              202,
              progress(repository, upload, upload.received().orElseThrow(Problem::unknownUpload)));
        }
        case "PUT" -> {
          String text =
              exchange
                  .parameter("digest")
                  .orElseThrow(() -> new Problem(400, "DIGEST_INVALID", "say ?digest="));
          checkRange(exchange, repository, upload, received);
          commit(exchange, repository, upload, Endpoints.digest(text));
        }
        case "DELETE" -> {
          uploads.cancel(upload);
          exchange.answer(204, Map.of());
        }
        default -> throw Problem.unsupported(exchange.method());
      }
    } finally {
      upload.lock.unlock();
    }
  }

  private void append(Exchange exchange, String repository, Upload upload, long received)
      throws IOException, Problem {
    Optional<Long> promised = checkRange(exchange, repository, upload, received);
    upload.append(exchange.body());
    long now = upload.received().orElseThrow(Problem::unknownUpload);
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
    upload.append(exchange.body());
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
