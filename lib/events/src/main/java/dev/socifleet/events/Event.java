package dev.socifleet.events;

import dev.socifleet.oci.RepositoryName;

/**
 * A record of the pipeline. On the wire: a JSON object with {@code schema} (1) and {@code type},
 * see {@link EventJson}.
 */
public sealed interface Event permits PushEvent, LayerTask, ZtocEvent, ImageOutcome {
  /** What the record is keyed by: one repository's records stay in order, on one partition. */
  RepositoryName repository();
}
