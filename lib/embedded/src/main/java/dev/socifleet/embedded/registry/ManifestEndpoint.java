package dev.socifleet.embedded.registry;

import dev.socifleet.embedded.registry.RepositoryStore.Stored;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageReference;
import dev.socifleet.oci.OciJson;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.Lock;

/** {@code /v2/<name>/manifests/<tag or digest>}: GET, HEAD, PUT, DELETE. */
final class ManifestEndpoint {
  private final RepositoryStore repositories;
  private final EventQueue events;
  private final boolean referrersApi;

  ManifestEndpoint(RepositoryStore repositories, EventQueue events, boolean referrersApi) {
    this.repositories = repositories;
    this.events = events;
    this.referrersApi = referrersApi;
  }

  void go(Exchange exchange, String repository, String reference) throws IOException, Problem {
    if (!reference.contains(":") && !ImageReference.isTag(reference)) {
      throw new Problem(400, "TAG_INVALID", "not a tag");
    }
    switch (exchange.method()) {
      case "GET", "HEAD" -> read(exchange, repository, reference);
      case "PUT" -> write(exchange, repository, reference);
      case "DELETE" -> delete(exchange, repository, reference);
      default -> throw Problem.unsupported(exchange.method());
    }
  }

  private Optional<Stored> find(String repository, String reference) throws IOException, Problem {
    return reference.contains(":")
        ? repositories.manifest(repository, Endpoints.digest(reference))
        : repositories.tagged(repository, reference);
  }

  private void read(Exchange exchange, String repository, String reference)
      throws IOException, Problem {
    Stored found =
        find(repository, reference).orElseThrow(() -> Problem.unknownManifest(reference));
    Map<String, String> headers = new HashMap<>();
    headers.put("Docker-Content-Digest", found.digest().toString());
    headers.put("ETag", found.etag());
    if (exchange.header("If-None-Match").filter(found.etag()::equals).isPresent()) {
      exchange.answer(304, headers);
      return;
    }
    headers.put("Content-Type", found.mediaType());
    if (exchange.head()) {
      headers.put("Content-Length", String.valueOf(found.size()));
      exchange.answer(200, headers);
    } else {
      exchange.answer(200, headers, repositories.bytes(found));
    }
  }

  private void write(Exchange exchange, String repository, String reference)
      throws IOException, Problem {
    byte[] bytes = exchange.body().readNBytes(OciJson.LARGEST_MANIFEST + 1);
    if (bytes.length > OciJson.LARGEST_MANIFEST) {
      throw new Problem(
          413, "SIZE_INVALID", "a manifest has at most " + OciJson.LARGEST_MANIFEST + " bytes");
    }
    PushedManifest pushed = PushedManifest.read(bytes, exchange.header("Content-Type").orElse(""));
    boolean tagged = !reference.contains(":");
    Digest digest = tagged ? Digest.of(bytes) : Endpoints.digest(reference);
    if (!Arrays.equals(digest.newMessageDigest().digest(bytes), digest.hash())) {
      throw new Problem(400, "DIGEST_INVALID", "the manifest's bytes have another digest");
    }
    Optional<Digest> subject = pushed.subject().map(Descriptor::digest);
    Lock lock = repositories.lock(repository);
    lock.lock();
    try {
      checkConditions(exchange, find(repository, reference));
      for (Descriptor needed : pushed.references()) {
        boolean there =
            repositories.blobSize(repository, needed.digest()).isPresent()
                || repositories.manifest(repository, needed.digest()).isPresent();
        if (!there) {
          throw new Problem(
              404,
              "MANIFEST_BLOB_UNKNOWN",
              "the repository has no " + needed.digest() + ", which the manifest names");
        }
      }
      repositories.addManifest(repository, digest, pushed.mediaType(), bytes, subject);
      if (tagged) {
        repositories.tag(repository, reference, digest);
      }
      events.pushed(
          exchange,
          repository,
          tagged ? Optional.of(reference) : Optional.empty(),
          new Stored(digest, pushed.mediaType(), bytes.length));
    } finally {
      lock.unlock();
    }
    Map<String, String> headers = new HashMap<>();
    headers.put("Location", "/v2/" + repository + "/manifests/" + digest);
    headers.put("Docker-Content-Digest", digest.toString());
    headers.put("ETag", "\"" + digest + "\"");
    if (referrersApi) {
      subject.ifPresent(d -> headers.put("OCI-Subject", d.toString()));
    }
    exchange.answer(201, headers);
  }

  /** If-Match and If-None-Match (RFC 9110, 13.1): a writer that lost a race is told so. */
  private static void checkConditions(Exchange exchange, Optional<Stored> current) throws Problem {
    Optional<String> match = exchange.header("If-Match");
    Optional<String> noneMatch = exchange.header("If-None-Match");
    boolean fails =
        (match.isPresent() && !matches(match.get(), current))
            || (noneMatch.isPresent() && matches(noneMatch.get(), current));
    if (fails) {
      throw new Problem(
          412,
          "PRECONDITION_FAILED",
          "the manifest is "
              + current.map(stored -> stored.digest().toString()).orElse("not there")
              + " now");
    }
  }

  private static boolean matches(String condition, Optional<Stored> current) {
    return current.isPresent()
        && (condition.strip().equals("*")
            || List.of(condition.split("\\s*,\\s*")).contains(current.get().etag()));
  }

  private void delete(Exchange exchange, String repository, String reference)
      throws IOException, Problem {
    Lock lock = repositories.lock(repository);
    lock.lock();
    try {
      Stored found =
          find(repository, reference).orElseThrow(() -> Problem.unknownManifest(reference));
      checkConditions(exchange, Optional.of(found));
      if (reference.contains(":")) {
        Optional<Digest> subject =
            PushedManifest.read(repositories.bytes(found), found.mediaType())
                .subject()
                .map(Descriptor::digest);
        repositories.removeManifest(repository, found.digest(), subject);
        events.deleted(exchange, repository, Optional.empty(), found);
      } else {
        repositories.untag(repository, reference);
        events.deleted(exchange, repository, Optional.of(reference), found);
      }
    } finally {
      lock.unlock();
    }
    exchange.answer(202, Map.of());
  }
}
