package dev.socifleet.ingest;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.events.PushEvent;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageReference;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.RepositoryName;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Notifications of the CNCF Distribution registry: an envelope {@code {"events":[…]}} of media type
 * {@code application/vnd.docker.distribution.events.v1+json} or {@code .v2+json} (docs, "Work with
 * notifications").
 *
 * <p>One envelope may hold events of anything: pulls, blobs, mounts. Only pushes and deletions of
 * manifests are ours.
 */
final class DistributionNotifications {
  private static final int MOST_EVENTS = 10_000;
  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(32).build())
                  .build())
          .build();

  /** What an envelope came to. {@code ignored} events were well-formed and not ours. */
  record Taken(List<PushEvent> events, int ignored) {}

  /** A body that isn't an envelope: what is wrong with it. */
  static final class MalformedBodyException extends Exception {
    MalformedBodyException(String message) {
      super(message);
    }
  }

  private DistributionNotifications() {}

  static Taken read(byte[] body, Source source, Instant seenAt) throws MalformedBodyException {
    JsonNode events;
    try {
      JsonNode root = JSON.readTree(body);
      events = root == null ? JSON.nullNode() : root.path("events");
    } catch (IOException e) {
      throw new MalformedBodyException("the body isn't JSON");
    }
    if (!events.isArray() || events.size() > MOST_EVENTS) {
      throw new MalformedBodyException("the body has no array 'events' of at most " + MOST_EVENTS);
    }
    List<PushEvent> taken = new ArrayList<>();
    for (int i = 0; i < events.size(); i++) {
      PushEvent event = read(events.get(i), "events[" + i + "]", source, seenAt);
      if (event != null) {
        taken.add(event);
      }
    }
    return new Taken(taken, events.size() - taken.size());
  }

  private static @Nullable PushEvent read(
      JsonNode event, String where, Source source, Instant seenAt) throws MalformedBodyException {
    String action = event.path("action").asText("");
    JsonNode target = event.path("target");
    String mediaType = target.path("mediaType").asText("");
    boolean push =
        action.equals("push")
            && (MediaTypes.isManifest(mediaType) || MediaTypes.isIndex(mediaType));
    boolean deletion = action.equals("delete") && target.has("repository");
    if (!push && !deletion) {
      return null;
    }
    String name = target.path("repository").asText("");
    if (!source.takes(name)) {
      return null;
    }
    try {
      RepositoryName repository = new RepositoryName(source.registry(), name);
      Digest digest =
          target.hasNonNull("digest") ? Digest.parse(target.path("digest").asText()) : null;
      String tag = target.hasNonNull("tag") ? target.path("tag").asText() : null;
      if (tag != null && !ImageReference.isTag(tag)) {
        throw new IllegalArgumentException("not a tag");
      }
      if (tag == null && digest == null) {
        throw new IllegalArgumentException("neither tag nor digest");
      }
      return push
          ? new PushEvent.ImagePushed(repository, source.name(), tag, digest, seenAt)
          : new PushEvent.ImageDeleted(repository, source.name(), tag, digest, seenAt);
    } catch (IllegalArgumentException e) {
      throw new MalformedBodyException(where + ": " + e.getMessage());
    }
  }
}
