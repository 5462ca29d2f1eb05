package dev.socifleet.oci;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A repository over the OCI distribution API. Thread-safe. */
final class HttpRepository implements Repository {
  private static final String PULL = "pull";
  private static final String PUSH = "pull,push";
  private static final Pattern NEXT_PAGE = Pattern.compile("<([^>]+)>\\s*;\\s*rel=\"?next\"?");
  private static final int MOST_PAGES = 10_000;
  private static final JsonMapper JSON = new JsonMapper();

  private final RepositoryName name;
  private final RegistryHttp http;

  HttpRepository(RepositoryName name, RegistryHttp http) {
    this.name = name;
    this.http = http;
  }

  @Override
  public RepositoryName name() {
    return name;
  }

  @Override
  public Optional<Descriptor> headManifest(String tagOrDigest) throws RegistryException {
    var request = manifestRequest("find manifest " + tagOrDigest, "HEAD", tagOrDigest);
    HttpResponse<InputStream> response = http.expect(request, 200, 404);
    RegistryHttp.discard(response);
    if (response.statusCode() == 404) {
      return Optional.empty();
    }
    Optional<String> digest = response.headers().firstValue("Docker-Content-Digest");
    OptionalLong size = response.headers().firstValueAsLong("Content-Length");
    if (digest.isEmpty() || size.isEmpty()) {
      // Some registries say neither in answer to HEAD.
      return manifest(tagOrDigest)
          .map(blob -> Descriptor.of(blob.mediaType(), blob.digest(), blob.bytes().length));
    }
    try {
      return Optional.of(
          Descriptor.of(mediaType(response), Digest.parse(digest.get()), size.getAsLong()));
    } catch (IllegalArgumentException e) {
      throw broken("find manifest " + tagOrDigest, e.getMessage());
    }
  }

  @Override
  public Optional<ManifestBlob> manifest(String tagOrDigest) throws RegistryException {
    String action = "read manifest " + tagOrDigest;
    HttpResponse<InputStream> response =
        http.expect(manifestRequest(action, "GET", tagOrDigest), 200, 404);
    if (response.statusCode() == 404) {
      RegistryHttp.discard(response);
      return Optional.empty();
    }
    byte[] bytes;
    try (InputStream body = response.body()) {
      bytes = body.readNBytes(OciJson.LARGEST_MANIFEST + 1);
    } catch (IOException e) {
      throw lost(action, e);
    }
    if (bytes.length > OciJson.LARGEST_MANIFEST) {
      throw broken(action, "it is larger than " + OciJson.LARGEST_MANIFEST + " bytes");
    }
    Digest digest = Digest.of(bytes);
    if (tagOrDigest.startsWith("sha256:") && !digest.toString().equals(tagOrDigest)) {
      throw broken(action, "the registry sent other bytes, of digest " + digest);
    }
    String mediaType = mediaType(response);
    if (!MediaTypes.isIndex(mediaType) && !MediaTypes.isManifest(mediaType)) {
      try {
        mediaType = OciJson.mediaTypeOf(bytes);
      } catch (MalformedDocumentException e) {
        throw broken(action, e.getMessage());
      }
    }
    return Optional.of(new ManifestBlob(mediaType, digest, bytes));
  }

  @Override
  public boolean putManifest(String tagOrDigest, String mediaType, byte[] bytes)
      throws RegistryException {
    var request =
        new RegistryHttp.Request(
            "write manifest " + tagOrDigest,
            "PUT",
            http.uri("manifests/" + tagOrDigest),
            Map.of("Content-Type", mediaType),
            PUSH,
            () -> HttpRequest.BodyPublishers.ofByteArray(bytes));
    HttpResponse<InputStream> response = http.expect(request, 200, 201, 202);
    RegistryHttp.discard(response);
    return response.headers().firstValue("OCI-Subject").isPresent();
  }

  @Override
  public boolean deleteManifest(String tagOrDigest) throws RegistryException {
    var request =
        new RegistryHttp.Request(
            "delete manifest " + tagOrDigest,
            "DELETE",
            http.uri("manifests/" + tagOrDigest),
            Map.of(),
            "pull,push,delete",
            null);
    HttpResponse<InputStream> response = http.expect(request, 200, 202, 404);
    RegistryHttp.discard(response);
    return response.statusCode() != 404;
  }

  @Override
  public OptionalLong blobSize(Digest blob) throws RegistryException {
    HttpResponse<InputStream> response =
        http.expect(blobRequest("find blob " + blob, "HEAD", blob, Map.of()), 200, 404);
    RegistryHttp.discard(response);
    if (response.statusCode() == 404) {
      return OptionalLong.empty();
    }
    OptionalLong size = response.headers().firstValueAsLong("Content-Length");
    if (size.isEmpty()) {
      throw broken("find blob " + blob, "the answer says no Content-Length");
    }
    return size;
  }

  @Override
  public InputStream openBlob(Digest blob) throws RegistryException {
    return new BlobStream(this, blob);
  }

  @Override
  public InputStream openBlob(Digest blob, ByteRange range) throws RegistryException {
    return new RangeStream(
        body(blob, range),
        range,
        "read bytes " + range.toHttp() + " of blob " + blob + " (" + name + ")");
  }

  /** The body of a whole blob, from the registry or where it redirects to. */
  InputStream body(Digest blob) throws RegistryException {
    return http.expect(
            blobRequest("read blob " + blob, "GET", blob, Map.of("Accept-Encoding", "identity")),
            200)
        .body();
  }

  /** The body positioned at the range's first byte; it may go on after the range. */
  InputStream body(Digest blob, ByteRange range) throws RegistryException {
    String action = "read bytes " + range.toHttp() + " of blob " + blob;
    HttpResponse<InputStream> response =
        http.expect(
            blobRequest(
                action,
                "GET",
                blob,
                Map.of("Range", "bytes=" + range.toHttp(), "Accept-Encoding", "identity")),
            200,
            206);
    InputStream body = response.body();
    try {
      if (response.statusCode() == 200) {
        // The server doesn't do ranges: what precedes has to be read past.
        body.skipNBytes(range.start());
        return body;
      }
      String sent = response.headers().firstValue("Content-Range").orElse("");
      if (!sent.startsWith("bytes " + range.toHttp() + "/")) {
        body.close();
        throw broken(action, "the registry sent another range: '" + sent + "'");
      }
      return body;
    } catch (RegistryException e) {
      throw e;
    } catch (IOException e) {
      throw lost(action, e);
    }
  }

  @Override
  public void putBlob(Digest blob, long size, BlobContent content) throws RegistryException {
    if (blobSize(blob).isEmpty()) {
      new BlobUpload(http, name).upload(blob, size, content);
    }
  }

  @Override
  public boolean mountBlob(Digest blob, RepositoryName from) throws RegistryException {
    if (!from.registry().equals(name.registry())) {
      return false;
    }
    return new BlobUpload(http, name).mount(blob, from);
  }

  @Override
  public List<Descriptor> referrers(Digest subject, @Nullable String artifactType)
      throws RegistryException {
    return new Referrers(this).of(subject, artifactType);
  }

  @Override
  public void putReferrer(Digest subject, ManifestBlob manifest) throws RegistryException {
    new Referrers(this).put(subject, manifest);
  }

  /**
   * The Referrers API's answer, all pages, unfiltered; empty where the registry has no such API.
   */
  Optional<List<Descriptor>> referrersApi(Digest subject, @Nullable String artifactType)
      throws RegistryException {
    List<Descriptor> found = new ArrayList<>();
    String query =
        artifactType == null
            ? ""
            : "?artifactType=" + URLEncoder.encode(artifactType, StandardCharsets.UTF_8);
    URI page = http.uri("referrers/" + subject + query);
    for (int pages = 0; page != null && pages < MOST_PAGES; pages++) {
      String action = "list referrers of " + subject;
      var request =
          new RegistryHttp.Request(
              action, "GET", page, Map.of("Accept", MediaTypes.OCI_INDEX), PULL, null);
      HttpResponse<InputStream> response = http.send(request);
      int status = response.statusCode();
      if (status != 200 || !mediaType(response).equals(MediaTypes.OCI_INDEX)) {
        if (status == 401 || status == 403) {
          throw http.failure(request, response);
        }
        RegistryHttp.discard(response);
        return Optional.empty();
      }
      try (InputStream body = response.body()) {
        found.addAll(OciJson.index(body.readNBytes(OciJson.LARGEST_MANIFEST)).manifests());
      } catch (MalformedDocumentException e) {
        throw broken(action, e.getMessage());
      } catch (IOException e) {
        throw lost(action, e);
      }
      page = nextPage(page, response);
    }
    return Optional.of(found);
  }

  @Override
  public List<String> tags() throws RegistryException {
    List<String> tags = new ArrayList<>();
    URI page = http.uri("tags/list?n=1000");
    for (int pages = 0; page != null && pages < MOST_PAGES; pages++) {
      var request = new RegistryHttp.Request("list tags", "GET", page, Map.of(), PULL, null);
      HttpResponse<InputStream> response = http.expect(request, 200, 404);
      if (response.statusCode() == 404) {
        RegistryHttp.discard(response);
        return tags;
      }
      try (InputStream body = response.body()) {
        for (JsonNode tag : JSON.readTree(body.readNBytes(16 << 20)).path("tags")) {
          tags.add(tag.asText());
        }
      } catch (IOException e) {
        throw lost("list tags", e);
      }
      page = nextPage(page, response);
    }
    return tags;
  }

  @Override
  public Optional<String> pullAuthorization() throws RegistryException {
    return http.pullAuthorization();
  }

  private RegistryHttp.Request manifestRequest(String action, String method, String tagOrDigest) {
    return new RegistryHttp.Request(
        action,
        method,
        http.uri("manifests/" + tagOrDigest),
        Map.of("Accept", String.join(", ", MediaTypes.MANIFESTS)),
        PULL,
        null);
  }

  private RegistryHttp.Request blobRequest(
      String action, String method, Digest blob, Map<String, String> headers) {
    return new RegistryHttp.Request(action, method, http.uri("blobs/" + blob), headers, PULL, null);
  }

  /** The next page of a listing; only on the same registry, whatever the Link header says. */
  private static @Nullable URI nextPage(URI page, HttpResponse<InputStream> response) {
    Matcher link = NEXT_PAGE.matcher(response.headers().firstValue("Link").orElse(""));
    if (!link.find()) {
      return null;
    }
    URI next = RegistryHttp.resolve(page, link.group(1));
    return next == null || !page.getAuthority().equals(next.getAuthority()) || page.equals(next)
        ? null
        : next;
  }

  private static String mediaType(HttpResponse<InputStream> response) {
    return response.headers().firstValue("Content-Type").orElse("").split(";", 2)[0].strip();
  }

  RegistryException broken(String action, @Nullable String why) {
    return new RegistryException(
        "cannot " + action + " (" + name + "): " + why, 0, List.of(), false, null, null);
  }

  RegistryException lost(String action, IOException e) {
    return new RegistryException(
        "cannot " + action + " (" + name + "): the connection was lost: " + e.getMessage(),
        0,
        List.of(),
        true,
        null,
        e);
  }
}
