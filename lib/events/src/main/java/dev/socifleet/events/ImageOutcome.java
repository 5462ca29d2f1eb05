package dev.socifleet.events;

import dev.socifleet.oci.Digest;
import dev.socifleet.oci.Platform;
import dev.socifleet.oci.RepositoryName;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * soci.images: how a plan ended. Keyed on the topic by {@code registry/repository@target digest}.
 *
 * @param status "published", "nothing-to-index" or "failed"
 * @param reason why, where the status isn't "published" or something was left out; empty otherwise
 * @param v2 the converted image's digest, null when none was published
 */
public record ImageOutcome(
    RepositoryName repository,
    Digest target,
    String planId,
    List<String> tags,
    String status,
    String reason,
    List<PlatformOutcome> platforms,
    @Nullable Digest v2,
    @Nullable String v2Tag,
    Instant pushedAt,
    Instant openedAt,
    Instant publishedAt)
    implements Event {
  public ImageOutcome {
    tags = List.copyOf(tags);
    platforms = List.copyOf(platforms);
  }

  /**
   * One image manifest: its v1 index, null where none was published, and what became of each layer.
   */
  public record PlatformOutcome(
      Digest manifest,
      @Nullable Platform platform,
      @Nullable Digest v1,
      List<LayerDecision> layers) {
    public PlatformOutcome {
      layers = List.copyOf(layers);
    }
  }

  /**
   * @param decision "indexed", "reused", "skipped" or "failed"
   * @param reason why it was skipped or failed; empty otherwise
   */
  public record LayerDecision(
      Digest layer, long sizeBytes, String decision, String reason, @Nullable Digest ztoc) {}
}
