package dev.socifleet.node.control;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.node.fetch.FetchCounts;
import dev.socifleet.node.images.Decisions;
import dev.socifleet.node.layers.LazyLayers;
import dev.socifleet.node.mounts.MountedImage;
import dev.socifleet.node.mounts.MountedImages;
import dev.socifleet.node.mounts.UnmountableException;
import dev.socifleet.node.snapshots.Snapshotter;
import dev.socifleet.oci.Platform;
import dev.socifleet.oci.Platforms;
import dev.socifleet.oci.RegistryException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The calls of the control API, without their transport. Blocking, thread-safe. */
public final class ControlApi {
  private static final Logger log = LoggerFactory.getLogger(ControlApi.class);
  private static final JsonMapper JSON = new JsonMapper();
  private static final String MOUNTS = "/v1/mounts";

  private final MountedImages mounts;
  private final Decisions decisions;
  private final LazyLayers layers;
  private final FetchCounts counts;
  private final Snapshotter snapshotter;

  /**
   * An answer.
   *
   * @param json the body; empty for 204
   * @param made the mount that came of it and that nobody knows unless the answer arrives, or empty
   */
  record Answer(int status, String json, String made) {
    static Answer of(int status, Object body) {
      return new Answer(status, encoded(body), "");
    }

    static Answer failure(int status, String why) {
      return of(status, Map.of("error", why));
    }
  }

  public ControlApi(
      MountedImages mounts,
      Decisions decisions,
      LazyLayers layers,
      FetchCounts counts,
      Snapshotter snapshotter) {
    this.mounts = mounts;
    this.decisions = decisions;
    this.layers = layers;
    this.counts = counts;
    this.snapshotter = snapshotter;
  }

  Answer answer(String method, String path, byte[] body) {
    try {
      if (path.startsWith(MOUNTS + "/")) {
        return method.equals("DELETE")
            ? release(path.substring(MOUNTS.length() + 1))
            : notAllowed(method, path);
      }
      return switch (method + " " + path) {
        case "POST " + MOUNTS -> mount(body);
        case "GET " + MOUNTS -> Answer.of(200, mounts.all());
        case "GET /v1/status" -> Answer.of(200, status());
        default ->
            path.equals(MOUNTS) || path.equals("/v1/status")
                ? notAllowed(method, path)
                : Answer.failure(404, "no such call: " + method + " " + path);
      };
    } catch (UnmountableException e) {
      return Answer.failure(
          switch (e.kind()) {
            case BAD_REQUEST -> 400;
            case REFUSED -> 403;
            case NOT_FOUND -> 404;
            case UNSUITABLE -> 422;
          },
          String.valueOf(e.getMessage()));
    } catch (RegistryException e) {
      return Answer.failure(e.temporary() ? 503 : 502, String.valueOf(e.getMessage()));
    } catch (IOException e) {
      log.warn("{} {} failed: {}", method, path, e.toString());
      return Answer.failure(503, String.valueOf(e.getMessage()));
    }
  }

  private static Answer notAllowed(String method, String path) {
    return Answer.failure(405, method + " isn't for " + path);
  }

  private Answer mount(byte[] body) throws IOException, UnmountableException {
    MountRequest request;
    Platform platform;
    try {
      request = JSON.readValue(body, MountRequest.class);
      if (request.image() == null || request.image().isEmpty()) {
        return Answer.failure(400, "the request names no image");
      }
      platform =
          request.platform() == null || request.platform().isEmpty()
              ? Platforms.host()
              : Platforms.parse(request.platform());
    } catch (JsonProcessingException e) {
      return Answer.failure(400, "the request is no JSON of {image, platform}");
    } catch (IllegalArgumentException e) {
      return Answer.failure(400, String.valueOf(e.getMessage()));
    }
    MountedImage mounted = mounts.mount(request.image(), platform);
    return new Answer(200, encoded(mounted), mounted.id());
  }

  private Answer release(String id) throws IOException {
    if (!mounts.release(id)) {
      return Answer.failure(404, "there is no mount " + id);
    }
    snapshotter.cleanup();
    return new Answer(204, "", "");
  }

  /** Nobody was told of this mount. */
  void undo(String mount) {
    try {
      var _ = release(mount);
    } catch (IOException e) {
      log.warn("cannot release mount {} whose caller is gone: {}", mount, e.toString());
    }
  }

  private NodeStatus status() {
    return new NodeStatus(
        layers.keys().stream()
            .map(key -> new NodeStatus.Layer(key.layer().toString(), key.ztoc().toString()))
            .toList(),
        mounts.all(),
        decisions.recent().stream()
            .map(d ->
                new NodeStatus.Decision(
                    d.image(), d.layer(), d.reason().code(), d.detail(), d.at().toString()))
            .toList(),
        counts.all().stream()
            .map(c ->
                new NodeStatus.Transfer(
                    c.source().name().toLowerCase(Locale.ROOT),
                    c.content().name().toLowerCase(Locale.ROOT),
                    c.requests(),
                    c.bytes()))
            .toList());
  }

  private static String encoded(Object body) {
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(body) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("our own records are always JSON", e);
    }
  }

  static byte[] bytes(Object body) {
    return encoded(body).getBytes(StandardCharsets.UTF_8);
  }
}
