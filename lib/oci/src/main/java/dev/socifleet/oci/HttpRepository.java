package dev.socifleet.oci;

import dev.socifleet.oci.Endpoint.Capability;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** A repository over the OCI distribution API. Thread-safe. */
final class HttpRepository implements Repository {
  private static final int LARGEST_LIST = 16 << 20;
  private static final Duration DOCUMENT_TIMEOUT = Duration.ofMinutes(2);
  private static final Map<String, String> PLAIN = Map.of("Accept-Encoding", "identity");

  private final RepositoryName name;
  private final Hosts hosts;

  /** The registry itself. */
  private final RegistryHttp registry;

  HttpRepository(RepositoryName name, Hosts hosts) {
    this.name = name;
    this.hosts = hosts;
    registry = hosts.registry();
  }

  @Override
  public RepositoryName name() {
    return name;
  }

  @Override
  public Optional<Descriptor> headManifest(String tagOrDigest) throws RegistryException {
    String action = "find manifest " + tagOrDigest;
    String reference = checked(action, tagOrDigest);
    return hosts.first(needed(reference), http -> headManifest(http, action, reference));
  }

  private Optional<Descriptor> headManifest(RegistryHttp http, String action, String tagOrDigest)
      throws RegistryException {
    HttpResponse<AnswerBody> response =
        http.expect(manifestRequest(http, action, "HEAD", tagOrDigest), 200, 404);
    Exchange.discard(response);
    if (response.statusCode() == 404) {
      return Optional.empty();
    }
    Optional<String> digest = response.headers().firstValue("Docker-Content-Digest");
    OptionalLong size = contentLength(response);
    String mediaType = mediaType(response);
    if (digest.isEmpty() || size.isEmpty() || !isKnown(mediaType)) {
      // Some registries don't say all of it in answer to HEAD.
      return taggedManifest(http, tagOrDigest)
          .map(Tagged::manifest)
          .map(blob -> Descriptor.of(blob.mediaType(), blob.digest(), blob.bytes().length));
    }
    try {
      Digest found = Digest.parse(digest.get());
      if (tagOrDigest.contains(":") && !found.toString().equals(tagOrDigest)) {
        throw broken(action, "the registry found another one, " + found);
      }
      return Optional.of(Descriptor.of(mediaType, found, size.getAsLong()));
    } catch (IllegalArgumentException e) {
      throw broken(action, e.getMessage());
    }
  }

  @Override
  public Optional<ManifestBlob> manifest(String tagOrDigest) throws RegistryException {
    String reference = checked("read manifest " + tagOrDigest, tagOrDigest);
    return hosts
        .first(needed(reference), http -> taggedManifest(http, reference))
        .map(Tagged::manifest);
  }

  /**
   * A manifest and the entity tag of the address it came from.
   *
   * @param etag empty where the registry gave none that a condition could use
   */
  record Tagged(ManifestBlob manifest, String etag) {}

  Optional<Tagged> taggedManifest(RegistryHttp http, String tagOrDigest) throws RegistryException {
    String action = "read manifest " + tagOrDigest;
    HttpResponse<AnswerBody> response =
        http.expect(manifestRequest(http, action, "GET", tagOrDigest), 200, 404);
    if (response.statusCode() == 404) {
      Exchange.discard(response);
      return Optional.empty();
    }
    byte[] bytes = document(action, response, OciJson.LARGEST_MANIFEST);
    Digest digest = Digest.of(bytes);
    if (tagOrDigest.contains(":")) {
      Digest wanted = Digest.parse(tagOrDigest);
      if (!Arrays.equals(wanted.newMessageDigest().digest(bytes), wanted.hash())) {
        throw broken(action, "the registry sent other bytes, of digest " + digest);
      }
      digest = wanted;
    }
    String mediaType = mediaType(response);
    if (!isKnown(mediaType)) {
      try {
        mediaType = OciJson.mediaTypeOf(bytes);
      } catch (MalformedDocumentException e) {
        throw broken(action, e.getMessage());
      }
    }
    String etag = response.headers().firstValue("ETag").orElse("");
    return Optional.of(
        new Tagged(new ManifestBlob(mediaType, digest, bytes), etag.startsWith("W/") ? "" : etag));
  }

  @Override
  public boolean putManifest(String tagOrDigest, String mediaType, byte[] bytes)
      throws RegistryException {
    HttpResponse<AnswerBody> response = put(tagOrDigest, mediaType, bytes, Map.of(), 200, 201, 202);
    return response.headers().firstValue("OCI-Subject").isPresent();
  }

  /**
   * Stores a manifest if the condition holds, e.g. {@code If-Match} and an entity tag, where the
   * registry knows conditions; where it doesn't, in any case.
   *
   * @return false when the condition didn't hold
   */
  boolean putManifestIf(
      Map<String, String> condition, String tagOrDigest, String mediaType, byte[] bytes)
      throws RegistryException {
    return put(tagOrDigest, mediaType, bytes, condition, 200, 201, 202, 412).statusCode() != 412;
  }

  private HttpResponse<AnswerBody> put(
      String tagOrDigest, String mediaType, byte[] bytes, Map<String, String> more, int... statuses)
      throws RegistryException {
    String action = "write manifest " + tagOrDigest;
    Map<String, String> headers = new HashMap<>(more);
    headers.put("Content-Type", mediaType);
    HttpResponse<AnswerBody> response =
        registry.expect(
            new RegistryHttp.Request(
                action,
                "PUT",
                registry.uri("manifests/" + checked(action, tagOrDigest)),
                headers,
                Scope.PUSH,
                () -> HttpRequest.BodyPublishers.ofByteArray(bytes)),
            statuses);
    Exchange.discard(response);
    return response;
  }

  @Override
  public boolean deleteManifest(String tagOrDigest) throws RegistryException {
    String action = "delete manifest " + tagOrDigest;
    var request =
        new RegistryHttp.Request(
            action,
            "DELETE",
            registry.uri("manifests/" + checked(action, tagOrDigest)),
            Map.of(),
            Scope.DELETE,
            null);
    HttpResponse<AnswerBody> response = registry.expect(request, 200, 202, 404);
    Exchange.discard(response);
    return response.statusCode() != 404;
  }

  @Override
  public OptionalLong blobSize(Digest blob) throws RegistryException {
    Optional<Long> size = hosts.first(Capability.PULL, http -> blobSize(http, blob));
    return size.isPresent() ? OptionalLong.of(size.get()) : OptionalLong.empty();
  }

  private Optional<Long> blobSize(RegistryHttp http, Digest blob) throws RegistryException {
    HttpResponse<AnswerBody> response =
        http.expect(blobRequest(http, "find blob " + blob, "HEAD", blob, Map.of()), 200, 404);
    Exchange.discard(response);
    if (response.statusCode() == 404) {
      return Optional.empty();
    }
    OptionalLong size = contentLength(response);
    if (size.isEmpty()) {
      throw broken("find blob " + blob, "the answer says no Content-Length");
    }
    return Optional.of(size.getAsLong());
  }

  @Override
  public InputStream openBlob(Digest blob) throws RegistryException {
    return answered(hosts.first(Capability.PULL, http -> Optional.of(openBlob(http, blob))));
  }

  private InputStream openBlob(RegistryHttp http, Digest blob) throws RegistryException {
    String action = "read blob " + blob;
    HttpResponse<AnswerBody> response =
        unencoded(action, http.expect(blobRequest(http, action, "GET", blob, PLAIN), 200));
    OptionalLong said = contentLength(response);
    long size;
    try {
      size = said.isPresent() ? said.getAsLong() : blobSize(http, blob).orElse(0L);
    } catch (RegistryException e) {
      response.body().close();
      throw e;
    }
    if (size == 0) {
      response.body().release(0);
    }
    InputStream bytes =
        size == 0
            ? InputStream.nullInputStream()
            : new RangeStream(this, blob, new ByteRange(0, size), response.body());
    return new CheckedBlob(blob, size, bytes, why -> otherBytes(blob, why));
  }

  @Override
  public InputStream openBlob(Digest blob, ByteRange range) throws RegistryException {
    return new RangeStream(this, blob, range, body(blob, range));
  }

  /** The body positioned at the range's first byte; it may go on after the range. */
  AnswerBody body(Digest blob, ByteRange range) throws RegistryException {
    return answered(hosts.first(Capability.PULL, http -> Optional.of(body(http, blob, range))));
  }

  private static <T> T answered(Optional<T> answer) {
    return answer.orElseThrow(
        () -> new IllegalStateException("a question that has no empty answer"));
  }

  private AnswerBody body(RegistryHttp http, Digest blob, ByteRange range)
      throws RegistryException {
    String action = "read bytes " + range.toHttp() + " of blob " + blob;
    Map<String, String> headers = new HashMap<>(PLAIN);
    headers.put("Range", "bytes=" + range.toHttp());
    HttpResponse<AnswerBody> response =
        unencoded(action, http.expect(blobRequest(http, action, "GET", blob, headers), 200, 206));
    AnswerBody body = response.body();
    if (response.statusCode() == 206) {
      String sent = response.headers().firstValue("Content-Range").orElse("");
      if (!sent.startsWith("bytes " + range.toHttp() + "/")) {
        body.close();
        throw broken(action, "the registry sent another range: '" + ErrorBody.harmless(sent) + "'");
      }
      return body;
    }
    try {
      // The server doesn't do ranges: what precedes has to be read past.
      body.skipNBytes(range.start());
      return body;
    } catch (IOException e) {
      body.close();
      throw lost(action, e);
    }
  }

  /** What it means that the bytes that came aren't the blob's. */
  private RegistryException otherBytes(Digest blob, String why) {
    return new RegistryException(
        "cannot read blob " + blob + " (" + name + "): the registry sent other bytes: they " + why,
        0,
        List.of(),
        hosts.distrustMirrors(),
        null,
        null);
  }

  /** A proxy that compresses on its own would shift every range. */
  private HttpResponse<AnswerBody> unencoded(String action, HttpResponse<AnswerBody> response)
      throws RegistryException {
    String encoding = response.headers().firstValue("Content-Encoding").orElse("identity");
    if (!encoding.equalsIgnoreCase("identity")) {
      response.body().close();
      throw broken(
          action,
          "it came encoded as '" + ErrorBody.harmless(encoding) + "', which was not asked for");
    }
    return response;
  }

  @Override
  public void putBlob(Digest blob, long size, BlobContent content) throws RegistryException {
    if (blobSize(registry, blob).isEmpty()) {
      new BlobUpload(registry, name)
          .upload(blob, size, content, () -> blobSize(registry, blob).isPresent());
    }
  }

  @Override
  public boolean mountBlob(Digest blob, RepositoryName from) throws RegistryException {
    if (!from.registry().equals(name.registry())) {
      return false;
    }
    return new BlobUpload(registry, name).mount(blob, from);
  }

  @Override
  public List<Descriptor> referrers(Digest subject, @Nullable String artifactType)
      throws RegistryException {
    return new Referrers(this, hosts).of(subject, artifactType);
  }

  @Override
  public void putReferrer(Digest subject, ManifestBlob manifest) throws RegistryException {
    new Referrers(this, hosts).put(subject, manifest);
  }

  /**
   * The Referrers API's answer, all pages, unfiltered; empty where the registry has no such API.
   */
  Optional<List<Descriptor>> referrersApi(
      RegistryHttp http, Digest subject, @Nullable String artifactType) throws RegistryException {
    String action = "list referrers of " + subject;
    List<Descriptor> found = new ArrayList<>();
    String query =
        artifactType == null
            ? ""
            : "?artifactType=" + URLEncoder.encode(artifactType, StandardCharsets.UTF_8);
    Pages pages = new Pages(http.uri("referrers/" + subject + query));
    for (URI page = pages.first(); page != null; ) {
      var request =
          new RegistryHttp.Request(
              action, "GET", page, Map.of("Accept", MediaTypes.OCI_INDEX), Scope.PULL, null);
      HttpResponse<AnswerBody> response = http.send(request);
      int status = response.statusCode();
      if (status != 200 || !mediaType(response).equals(MediaTypes.OCI_INDEX)) {
        if (status == 401 || status == 403) {
          throw http.failure(request, response);
        }
        Exchange.discard(response);
        return Optional.empty();
      }
      try {
        byte[] bytes = document(action, response, OciJson.LARGEST_MANIFEST);
        found.addAll(OciJson.index(bytes).manifests());
        page = pages.after(response, found.size());
      } catch (MalformedDocumentException e) {
        throw broken(action, e.getMessage());
      }
    }
    return Optional.of(found);
  }

  @Override
  public List<String> tags() throws RegistryException {
    List<String> tags = new ArrayList<>();
    Pages pages = new Pages(registry.uri("tags/list?n=1000"));
    for (URI page = pages.first(); page != null; ) {
      var request = new RegistryHttp.Request("list tags", "GET", page, Map.of(), Scope.PULL, null);
      HttpResponse<AnswerBody> response = registry.expect(request, 200, 404);
      if (response.statusCode() == 404) {
        Exchange.discard(response);
        return tags;
      }
      try {
        tags.addAll(OciJson.tags(document("list tags", response, LARGEST_LIST)));
        page = pages.after(response, tags.size());
      } catch (MalformedDocumentException e) {
        throw broken("list tags", e.getMessage());
      }
    }
    return tags;
  }

  @Override
  public Optional<String> pullAuthorization() throws RegistryException {
    return registry.pullAuthorization();
  }

  private static RegistryHttp.Request manifestRequest(
      RegistryHttp http, String action, String method, String reference) {
    return new RegistryHttp.Request(
        action,
        method,
        http.uri("manifests/" + reference),
        Map.of("Accept", String.join(", ", MediaTypes.MANIFESTS)),
        Scope.PULL,
        null);
  }

  private static RegistryHttp.Request blobRequest(
      RegistryHttp http, String action, String method, Digest blob, Map<String, String> headers) {
    return new RegistryHttp.Request(
        action, method, http.uri("blobs/" + blob), headers, Scope.PULL, null);
  }

  /** What a mirror must be good for to be asked for a manifest. */
  private static Capability needed(String tagOrDigest) {
    return tagOrDigest.contains(":") ? Capability.PULL : Capability.RESOLVE;
  }

  /** Nothing but a tag or digest may become part of an address. */
  private String checked(String action, String tagOrDigest) throws RegistryException {
    if (tagOrDigest.contains(":")) {
      try {
        return Digest.parse(tagOrDigest).toString();
      } catch (IllegalArgumentException e) {
        throw broken(action, e.getMessage());
      }
    }
    if (!ImageReference.isTag(tagOrDigest)) {
      throw broken(action, "that is neither a tag nor a digest");
    }
    return tagOrDigest;
  }

  /** A body that is held as a whole: of bounded size, and in bounded time. */
  private byte[] document(String action, HttpResponse<AnswerBody> response, int largest)
      throws RegistryException {
    byte[] bytes;
    try (AnswerBody body = response.body()) {
      body.endWithin(DOCUMENT_TIMEOUT);
      bytes = body.readNBytes(largest + 1);
      body.release(0);
    } catch (IOException e) {
      throw lost(action, e);
    }
    if (bytes.length > largest) {
      throw broken(action, "the answer is larger than " + largest + " bytes");
    }
    return bytes;
  }

  private static OptionalLong contentLength(HttpResponse<AnswerBody> response) {
    String text = response.headers().firstValue("Content-Length").orElse("");
    return text.matches("[0-9]{1,18}")
        ? OptionalLong.of(Long.parseLong(text))
        : OptionalLong.empty();
  }

  private static boolean isKnown(String mediaType) {
    return MediaTypes.isIndex(mediaType) || MediaTypes.isManifest(mediaType);
  }

  private static String mediaType(HttpResponse<AnswerBody> response) {
    return response.headers().firstValue("Content-Type").orElse("").split(";", 2)[0].strip();
  }

  RegistryException broken(String action, @Nullable String why) {
    return new RegistryException(
        "cannot " + action + " (" + name + "): " + why, 0, List.of(), false, null, null);
  }

  RegistryException lost(String action, IOException e) {
    return new RegistryException(
        "cannot " + action + " (" + name + "): the connection was lost: " + Exchange.said(e),
        0,
        List.of(),
        true,
        null,
        e);
  }
}
