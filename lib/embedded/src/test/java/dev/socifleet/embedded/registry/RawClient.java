package dev.socifleet.embedded.registry;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.MediaTypes;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** Requests as they stand in the specification, with nothing of lib/oci's client in between. */
final class RawClient implements AutoCloseable {
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final String base;

  RawClient(SmallRegistry registry) {
    base = "http://" + registry.host();
  }

  /** An answer with what tests look at. */
  record Answer(int status, HttpResponse<byte[]> response) {
    String header(String name) {
      return response.headers().firstValue(name).orElse("");
    }

    byte[] body() {
      return response.body();
    }

    JsonNode json() throws IOException {
      return new JsonMapper().readTree(response.body());
    }

    /** The code of the one error that the body tells. */
    String code() throws IOException {
      return json().path("errors").path(0).path("code").asText();
    }

    Answer is(int expected) {
      assertThat(status)
          .as(() -> new String(response.body(), StandardCharsets.UTF_8))
          .isEqualTo(expected);
      return this;
    }
  }

  /** Headers alternate between names and values. */
  Answer send(String method, String path, byte[] body, String... headers) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(path.startsWith("http") ? path : base + path))
            .timeout(Duration.ofMinutes(2))
            .method(
                method,
                body.length == 0
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofByteArray(body));
    if (headers.length > 0) {
      request.headers(headers);
    }
    HttpResponse<byte[]> response =
        client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
    return new Answer(response.statusCode(), response);
  }

  Answer get(String path, String... headers) throws Exception {
    return send("GET", path, new byte[0], headers);
  }

  Digest putBlob(String repository, byte[] bytes) throws Exception {
    Digest digest = Digest.of(bytes);
    send("POST", "/v2/" + repository + "/blobs/uploads/?digest=" + digest, bytes).is(201);
    return digest;
  }

  Digest putManifest(String repository, String reference, String json) throws Exception {
    byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
    send(
            "PUT",
            "/v2/" + repository + "/manifests/" + reference,
            bytes,
            "Content-Type",
            MediaTypes.OCI_MANIFEST)
        .is(201);
    return Digest.of(bytes);
  }

  /** The text of an image manifest with one config, no layers, and more fields. */
  static String manifest(Digest config, long size, String more) {
    return "{\"schemaVersion\":2,\"config\":{\"mediaType\":\""
        + MediaTypes.OCI_CONFIG
        + "\",\"digest\":\""
        + config
        + "\",\"size\":"
        + size
        + "},\"layers\":[]"
        + more
        + "}";
  }

  @Override
  public void close() {
    client.shutdownNow();
  }
}
