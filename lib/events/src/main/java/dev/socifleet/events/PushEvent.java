package dev.socifleet.events;

import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * soci.pushes: what a registry's webhook said. A hint: the planner asks the registry for digest,
 * size and media type.
 */
public sealed interface PushEvent extends Event {
  @Override
  RepositoryName repository();

  /**
   * @param source the configured source the event came through
   * @param tag the tag, null when a manifest was pushed by digest only
   * @param digest the digest as the event names it, null where the sender doesn't say
   * @param seenAt when ingest took it
   */
  record ImagePushed(
      RepositoryName repository,
      String source,
      @Nullable String tag,
      @Nullable Digest digest,
      Instant seenAt)
      implements PushEvent {}

  record ImageDeleted(
      RepositoryName repository,
      String source,
      @Nullable String tag,
      @Nullable Digest digest,
      Instant seenAt)
      implements PushEvent {}
}
