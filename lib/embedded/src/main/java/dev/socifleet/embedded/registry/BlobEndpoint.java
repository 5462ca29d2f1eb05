package dev.socifleet.embedded.registry;

import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code /v2/<name>/blobs/<digest>}: GET with ranges, HEAD, DELETE. */
final class BlobEndpoint {
  private static final Pattern RANGE = Pattern.compile("bytes=(\\d{0,18})-(\\d{0,18})");

  private final RepositoryStore repositories;
  private final ContentStore content;
  private final AccessLog accesses;

  /** Bytes from {@code start} up to, not including, {@code end}. */
  private record Part(long start, long end) {}

  BlobEndpoint(RepositoryStore repositories, ContentStore content, AccessLog accesses) {
    this.repositories = repositories;
    this.content = content;
    this.accesses = accesses;
  }

  void go(Exchange exchange, String repository, Digest digest) throws IOException, Problem {
    switch (exchange.method()) {
      case "GET", "HEAD" -> read(exchange, repository, digest);
      case "DELETE" -> {
        if (!repositories.removeBlob(repository, digest)) {
          throw Problem.unknownBlob(digest.toString());
        }
        exchange.answer(202, Map.of());
      }
      default -> throw Problem.unsupported(exchange.method());
    }
  }

  private void read(Exchange exchange, String repository, Digest digest)
      throws IOException, Problem {
    OptionalLong found = repositories.blobSize(repository, digest);
    if (found.isEmpty()) {
      throw Problem.unknownBlob(digest.toString());
    }
    long size = found.getAsLong();
    Map<String, String> headers = new HashMap<>();
    headers.put("Content-Type", "application/octet-stream");
    headers.put("Docker-Content-Digest", digest.toString());
    headers.put("ETag", "\"" + digest + "\"");
    headers.put("Accept-Ranges", "bytes");
    headers.put("Cache-Control", "max-age=31536000");
    if (exchange.head()) {
      headers.put("Content-Length", String.valueOf(size));
      exchange.answer(200, headers);
      return;
    }
    Optional<Part> part = part(exchange, digest, size);
    long start = part.map(Part::start).orElse(0L);
    long end = part.map(Part::end).orElse(size);
    part.ifPresent(
        p -> headers.put("Content-Range", "bytes " + p.start() + "-" + (p.end() - 1) + "/" + size));
    try (FileChannel file = content.open(digest)) {
      exchange.file(
          part.isPresent() ? 206 : 200,
          headers,
          file,
          start,
          end - start,
          bytes -> accesses.served(exchange.userAgent(), bytes));
    }
  }

  /**
   * The one range that is asked for (RFC 9110, 14.2); empty for the whole. Several ranges, another
   * unit or a failed If-Range give the whole, which every client must take.
   */
  private static Optional<Part> part(Exchange exchange, Digest digest, long size) throws Problem {
    Matcher range = RANGE.matcher(exchange.header("Range").orElse(""));
    String condition = exchange.header("If-Range").orElse("\"" + digest + "\"");
    if (!range.matches()
        || (range.group(1).isEmpty() && range.group(2).isEmpty())
        || !condition.equals("\"" + digest + "\"")) {
      return Optional.empty();
    }
    long start;
    long end;
    if (range.group(1).isEmpty()) {
      start = Math.max(0, size - Long.parseLong(range.group(2)));
      end = size;
    } else {
      start = Long.parseLong(range.group(1));
      end = range.group(2).isEmpty() ? size : Math.min(size, Long.parseLong(range.group(2)) + 1);
      if (!range.group(2).isEmpty() && Long.parseLong(range.group(2)) < start) {
        return Optional.empty(); // not a range at all
      }
    }
    if (start >= size) {
      throw new Problem(
          416,
          "RANGE_INVALID",
          "the blob has " + size + " bytes",
          Map.of("Content-Range", "bytes */" + size));
    }
    return Optional.of(new Part(start, end));
  }
}
