package dev.socifleet.oci;

import dev.socifleet.oci.WireServer.Call;
import dev.socifleet.oci.WireServer.Reply;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * A registry that takes the distribution specification at its word: an upload continues only where
 * the last answer said and only at the offset where it stopped, a manifest's blobs must be there,
 * its media type must be what it says of itself. What a registry may do one way or the other is
 * switchable, and any answer can be disturbed.
 */
final class StrictRegistry implements AutoCloseable {
  enum Auth {
    NONE,
    BASIC,
    TOKEN
  }

  /** What it makes of If-Match. */
  enum Conditions {
    /** It gives entity tags and doesn't look at them again, as docker-registry does. */
    IGNORED,
    HONOURED,
    /** It refuses every condition. */
    NEVER_MET
  }

  /** What becomes of an answer. */
  @FunctionalInterface
  interface Disturbance {
    Reply answer(Call call, Supplier<Reply> real);
  }

  private record Disturbed(Predicate<Call> calls, AtomicInteger left, Disturbance disturbance) {}

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Manifest(String mediaType, byte[] bytes, Digest digest) {}

  private static final class Upload {
    final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    int state;
  }

  private static final Pattern PATH =
      Pattern.compile("/v2/(.+?)/(blobs/uploads|blobs|manifests|referrers|tags)/(.*)");

  private final WireServer server;
  private final TokenServer tokens;
  private final Map<String, byte[]> blobs = new ConcurrentHashMap<>();
  private final Map<String, Manifest> manifests = new ConcurrentHashMap<>();
  private final Map<String, Upload> uploads = new ConcurrentHashMap<>();
  private final AtomicInteger uploadCount = new AtomicInteger();
  private final List<Disturbed> disturbed = new CopyOnWriteArrayList<>();

  volatile Auth auth = Auth.NONE;
  volatile boolean referrersApi = true;
  volatile boolean filters = true;
  volatile boolean ranges = true;
  volatile boolean chunks = true;
  volatile boolean absoluteLocations;
  volatile boolean mounts = true;
  volatile int leastChunk;
  volatile int pageSize = 1000;
  volatile Conditions conditions = Conditions.IGNORED;

  StrictRegistry() throws IOException {
    tokens = new TokenServer();
    server = WireServer.start(this::answer);
  }

  StrictRegistry(SSLContext tls, boolean clientCertificate) throws IOException {
    tokens = new TokenServer();
    server = WireServer.startTls(tls, clientCertificate, this::answer);
  }

  WireServer server() {
    return server;
  }

  TokenServer tokens() {
    return tokens;
  }

  RepositoryName repository(String name) {
    return new RepositoryName(server.host(), name);
  }

  /** The next so many calls of this kind are answered so. */
  void disturb(int times, Predicate<Call> calls, Disturbance disturbance) {
    disturbed.add(new Disturbed(calls, new AtomicInteger(times), disturbance));
  }

  Digest addBlob(String repository, byte[] bytes) {
    Digest digest = Digest.of(bytes);
    blobs.put(repository + "@" + digest, bytes);
    return digest;
  }

  void addManifest(String repository, String reference, String mediaType, byte[] bytes) {
    Manifest manifest = new Manifest(mediaType, bytes, Digest.of(bytes));
    manifests.put(repository + "@" + manifest.digest, manifest);
    manifests.put(repository + "@" + reference, manifest);
  }

  byte @Nullable [] blob(String repository, Digest digest) {
    return blobs.get(repository + "@" + digest);
  }

  byte @Nullable [] manifest(String repository, String reference) {
    Manifest manifest = manifests.get(repository + "@" + reference);
    return manifest == null ? null : manifest.bytes;
  }

  int openUploads() {
    return uploads.size();
  }

  private Reply answer(Call call) {
    for (Disturbed each : disturbed) {
      if (each.calls.test(call) && each.left.getAndDecrement() > 0) {
        return each.disturbance.answer(call, () -> real(call));
      }
    }
    return real(call);
  }

  private Reply real(Call call) {
    Matcher path = PATH.matcher(call.path());
    if (!path.matches()) {
      throw new AssertionError("no such address");
    }
    String repository = path.group(1);
    Optional<Reply> refused = refused(call, repository);
    if (refused.isPresent()) {
      return refused.get();
    }
    String rest = path.group(3);
    return switch (path.group(2)) {
      case "blobs/uploads" -> upload(call, repository, rest);
      case "blobs" -> blob(call, repository, rest);
      case "manifests" -> manifest(call, repository, rest);
      case "referrers" -> referrers(call, repository, rest);
      default -> tags(call, repository, rest);
    };
  }

  private Optional<Reply> refused(Call call, String repository) {
    String action =
        switch (call.method()) {
          case "GET", "HEAD" -> "pull";
          case "DELETE" -> call.path().contains("/uploads/") ? "push" : "delete";
          default -> "push";
        };
    String authorization = call.header("Authorization").orElse("");
    return switch (auth) {
      case NONE -> {
        if (!authorization.isEmpty()) {
          throw new AssertionError("Authorization that nobody asked for");
        }
        yield Optional.empty();
      }
      case BASIC ->
          authorization.equals(
                  "Basic "
                      + Base64.getEncoder()
                          .encodeToString("user:secret".getBytes(StandardCharsets.UTF_8)))
              ? Optional.empty()
              : Optional.of(unauthorized("Basic realm=\"strict registry\""));
      case TOKEN ->
          tokens.allows(authorization, repository, action)
              ? Optional.empty()
              : Optional.of(
                  unauthorized(
                      tokens.challenge(
                          "repository:"
                              + repository
                              + ":"
                              + (action.equals("pull") ? "pull" : "pull," + action))));
    };
  }

  private static Reply unauthorized(String challenge) {
    return Reply.error(401, "UNAUTHORIZED", "authentication required")
        .with("WWW-Authenticate", challenge);
  }

  private Reply blob(Call call, String repository, String digest) {
    byte[] bytes = blobs.get(repository + "@" + digest);
    if (bytes == null) {
      return Reply.error(404, "BLOB_UNKNOWN", "blob unknown to registry");
    }
    Reply whole =
        Reply.of(200, "application/octet-stream", bytes).with("Docker-Content-Digest", digest);
    String range = call.header("Range").orElse("");
    if (range.isEmpty() || !ranges) {
      return call.method().equals("HEAD")
          ? whole.with("Content-Length", String.valueOf(bytes.length))
          : whole;
    }
    ByteRange wanted = ByteRange.parseHttp(range.replaceFirst("^bytes=", ""));
    if (wanted.start() >= bytes.length) {
      return Reply.error(416, "RANGE_INVALID", "beyond the end")
          .with("Content-Range", "bytes */" + bytes.length);
    }
    int end = (int) Math.min(wanted.end(), bytes.length);
    return Reply.of(
            206, "application/octet-stream", Arrays.copyOfRange(bytes, (int) wanted.start(), end))
        .with("Content-Range", "bytes " + wanted.start() + "-" + (end - 1) + "/" + bytes.length);
  }

  private Reply upload(Call call, String repository, String id) {
    if (call.method().equals("POST")) {
      return begin(call, repository, id);
    }
    Upload upload = uploads.get(repository + "@" + id);
    if (upload == null) {
      return Reply.error(404, "BLOB_UPLOAD_UNKNOWN", "no such upload");
    }
    synchronized (upload) {
      boolean changes = call.method().equals("PATCH") || call.method().equals("PUT");
      if (changes && !String.valueOf(upload.state).equals(call.query().get("_state"))) {
        throw new AssertionError("an upload goes on where its last answer said");
      }
      return switch (call.method()) {
        case "GET" -> at(repository, id, upload, 204);
        case "PATCH" -> patch(call, repository, id, upload);
        case "PUT" -> commit(call, repository, id, upload);
        case "DELETE" -> {
          uploads.remove(repository + "@" + id);
          yield Reply.of(204);
        }
        default -> Reply.error(405, "UNSUPPORTED", "not a method of an upload");
      };
    }
  }

  private Reply begin(Call call, String repository, String id) {
    if (!id.isEmpty()) {
      throw new AssertionError("an upload begins at …/blobs/uploads/");
    }
    if (!call.header("Content-Length").orElse("").equals("0")) {
      throw new AssertionError("POST of an upload says Content-Length: 0");
    }
    String mount = call.query().get("mount");
    String from = call.query().get("from");
    if (mount != null && mounts) {
      byte[] bytes = blobs.get(from + "@" + mount);
      boolean allowed =
          auth != Auth.TOKEN
              || tokens.allows(
                  call.header("Authorization").orElse(""), String.valueOf(from), "pull");
      if (bytes != null && allowed) {
        blobs.put(repository + "@" + mount, bytes);
        return Reply.of(201).with("Location", "/v2/" + repository + "/blobs/" + mount);
      }
    }
    String session = "session-" + uploadCount.incrementAndGet();
    Upload upload = new Upload();
    uploads.put(repository + "@" + session, upload);
    Reply reply = at(repository, session, upload, 202);
    return leastChunk > 0 ? reply.with("OCI-Chunk-Min-Length", "" + leastChunk) : reply;
  }

  private Reply at(String repository, String id, Upload upload, int status) {
    String location = "/v2/" + repository + "/blobs/uploads/" + id + "?_state=" + upload.state;
    return Reply.of(status)
        .with("Location", (absoluteLocations ? server.url() : "") + location)
        .with("Range", "0-" + Math.max(0, upload.bytes.size() - 1));
  }

  private Reply patch(Call call, String repository, String id, Upload upload) {
    if (!chunks) {
      return Reply.error(405, "UNSUPPORTED", "chunked uploads are unsupported");
    }
    int from = upload.bytes.size();
    String range = from + "-" + (from + call.body().length - 1);
    if (!call.header("Content-Type").orElse("").equals("application/octet-stream")) {
      throw new AssertionError("a chunk is application/octet-stream");
    }
    if (!call.header("Content-Range").orElse("").equals(range)) {
      return at(repository, id, upload, 416);
    }
    if (call.body().length < leastChunk) {
      throw new AssertionError("a chunk that isn't the last has at least " + leastChunk);
    }
    upload.bytes.writeBytes(call.body());
    upload.state++;
    return at(repository, id, upload, 202);
  }

  private Reply commit(Call call, String repository, String id, Upload upload) {
    upload.bytes.writeBytes(call.body());
    byte[] bytes = upload.bytes.toByteArray();
    uploads.remove(repository + "@" + id);
    Digest digest = Digest.parse(call.query().getOrDefault("digest", ""));
    if (!digest.matches(bytes)) {
      return Reply.error(400, "DIGEST_INVALID", "the bytes have another digest");
    }
    blobs.put(repository + "@" + digest, bytes);
    return Reply.of(201).with("Location", "/v2/" + repository + "/blobs/" + digest);
  }

  private Reply manifest(Call call, String repository, String reference) {
    synchronized (manifests) {
      Manifest known = manifests.get(repository + "@" + reference);
      return switch (call.method()) {
        case "GET", "HEAD" -> {
          if (known == null) {
            yield Reply.error(404, "MANIFEST_UNKNOWN", "manifest unknown");
          }
          if (!call.header("Accept").orElse("").contains(known.mediaType)) {
            throw new AssertionError("a client accepts what it can read");
          }
          Reply reply =
              Reply.of(200, known.mediaType, known.bytes)
                  .with("Docker-Content-Digest", known.digest.toString())
                  .with("ETag", "\"" + known.digest + "\"");
          yield call.method().equals("HEAD")
              ? reply.with("Content-Length", String.valueOf(known.bytes.length))
              : reply;
        }
        case "PUT" -> store(call, repository, reference, known);
        case "DELETE" ->
            manifests.remove(repository + "@" + reference) == null
                ? Reply.error(404, "MANIFEST_UNKNOWN", "manifest unknown")
                : Reply.of(202);
        default -> Reply.error(405, "UNSUPPORTED", "not a method of a manifest");
      };
    }
  }

  private Reply store(Call call, String repository, String reference, @Nullable Manifest known) {
    String match = call.header("If-Match").orElse("");
    boolean create = call.header("If-None-Match").orElse("").equals("*");
    boolean met =
        (match.isEmpty() || (known != null && match.equals("\"" + known.digest + "\"")))
            && (!create || known == null);
    boolean conditional = create || !match.isEmpty();
    if (conditional
        && (conditions == Conditions.NEVER_MET || (conditions == Conditions.HONOURED && !met))) {
      return Reply.error(412, "PRECONDITION_FAILED", "it changed");
    }
    Digest digest = Digest.of(call.body());
    if (reference.contains(":") && !Digest.parse(reference).matches(call.body())) {
      return Reply.error(400, "DIGEST_INVALID", "provided digest did not match");
    }
    String type = call.header("Content-Type").orElse("");
    Optional<Descriptor> subject;
    try {
      if (!OciJson.mediaTypeOf(call.body()).equals(type)) {
        return Reply.error(400, "MANIFEST_INVALID", "its media type is another");
      }
      Optional<String> missing = missing(repository, type, call.body());
      if (missing.isPresent()) {
        return Reply.error(404, "MANIFEST_BLOB_UNKNOWN", missing.get());
      }
      subject = subject(type, call.body());
    } catch (MalformedDocumentException e) {
      return Reply.error(400, "MANIFEST_INVALID", "not a manifest");
    }
    Manifest manifest = new Manifest(type, call.body(), digest);
    manifests.put(repository + "@" + reference, manifest);
    manifests.put(repository + "@" + digest, manifest);
    Reply stored = Reply.of(201).with("Docker-Content-Digest", digest.toString());
    return referrersApi && subject.isPresent()
        ? stored.with("OCI-Subject", subject.get().digest().toString())
        : stored;
  }

  private Optional<String> missing(String repository, String type, byte[] bytes)
      throws MalformedDocumentException {
    Stream<Descriptor> needed;
    Map<String, ?> known;
    if (MediaTypes.isIndex(type)) {
      needed = OciJson.index(bytes).manifests().stream();
      known = manifests;
    } else {
      ImageManifest manifest = OciJson.manifest(bytes);
      needed = Stream.concat(Stream.of(manifest.config()), manifest.layers().stream());
      known = blobs;
    }
    return needed
        .map(descriptor -> descriptor.digest().toString())
        .filter(digest -> !known.containsKey(repository + "@" + digest))
        .findFirst();
  }

  private static Optional<Descriptor> subject(String type, byte[] bytes)
      throws MalformedDocumentException {
    return Optional.ofNullable(
        MediaTypes.isIndex(type)
            ? OciJson.index(bytes).subject()
            : OciJson.manifest(bytes).subject());
  }

  private Reply referrers(Call call, String repository, String subject) {
    if (!referrersApi) {
      return Reply.of(404, "text/plain", "404 page not found".getBytes(StandardCharsets.UTF_8));
    }
    String type = call.query().getOrDefault("artifactType", "");
    List<Descriptor> found =
        manifests.entrySet().stream()
            .filter(entry -> entry.getKey().startsWith(repository + "@sha256:"))
            .map(Map.Entry::getValue)
            .flatMap(manifest -> referrer(manifest, subject).stream())
            .filter(d -> !filters || type.isEmpty() || d.artifactType().equals(type))
            .sorted(Comparator.comparing(d -> d.digest().toString()))
            .toList();
    int from = Integer.parseInt(call.query().getOrDefault("from", "0"));
    int to = Math.min(found.size(), from + pageSize);
    byte[] body =
        OciJson.write(
            new ImageIndex(MediaTypes.OCI_INDEX, "", found.subList(from, to), null, Map.of()));
    Reply reply = Reply.of(200, MediaTypes.OCI_INDEX, body);
    if (filters && !type.isEmpty()) {
      reply = reply.with("OCI-Filters-Applied", "artifactType");
    }
    return to == found.size()
        ? reply
        : reply.with(
            "Link",
            "<%s/v2/%s/referrers/%s?from=%d&artifactType=%s>; rel=\"next\""
                .formatted("http://inside.invalid", repository, subject, to, type));
  }

  private static Optional<Descriptor> referrer(Manifest manifest, String subject) {
    try {
      if (subject(manifest.mediaType, manifest.bytes)
          .filter(d -> d.digest().toString().equals(subject))
          .isEmpty()) {
        return Optional.empty();
      }
      ImageManifest parsed = OciJson.manifest(manifest.bytes);
      String type =
          parsed.artifactType().isEmpty() ? parsed.config().mediaType() : parsed.artifactType();
      return Optional.of(
          Descriptor.of(manifest.mediaType, manifest.digest, manifest.bytes.length)
              .withAnnotations(parsed.annotations())
              .withArtifactType(type));
    } catch (MalformedDocumentException e) {
      throw new AssertionError("only good manifests are stored", e);
    }
  }

  private Reply tags(Call call, String repository, String rest) {
    if (!rest.equals("list")) {
      throw new AssertionError("no such address");
    }
    TreeMap<String, Manifest> all = new TreeMap<>();
    manifests.forEach((name, manifest) -> {
      if (name.startsWith(repository + "@") && !name.contains(":")) {
        all.put(name.substring(repository.length() + 1), manifest);
      }
    });
    int size = Math.min(pageSize, Integer.parseInt(call.query().getOrDefault("n", "1000")));
    List<String> page =
        all.tailMap(call.query().getOrDefault("last", ""), false).keySet().stream()
            .limit(size)
            .toList();
    String json =
        "{\"name\":\"" + repository + "\",\"tags\":[\"" + String.join("\",\"", page) + "\"]}";
    Reply reply =
        Reply.of(
            200, "application/json", json.replace("[\"\"]", "[]").getBytes(StandardCharsets.UTF_8));
    boolean more = !page.isEmpty() && !page.getLast().equals(all.lastKey());
    return more
        ? reply.with(
            "Link",
            "</v2/%s/tags/list?last=%s&n=%d>; rel=\"next\""
                .formatted(repository, page.getLast(), size))
        : reply;
  }

  @Override
  public void close() {
    server.close();
    tokens.close();
  }
}
