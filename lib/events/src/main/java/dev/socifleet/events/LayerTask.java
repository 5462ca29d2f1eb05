package dev.socifleet.events;

import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import java.time.Instant;

/**
 * soci.layers: build, or find, the zTOC of one layer and put it into this repository.
 *
 * @param planId the plan that waits for it; a replay for another plan only repeats the outcome
 * @param sizeBytes the layer's compressed size, as its manifest says
 * @param spanSizeBytes uncompressed bytes a span
 * @param attempt 1 for the first; a temporary failure re-appends the task with the next number
 */
public record LayerTask(
    RepositoryName repository,
    String planId,
    Digest layer,
    String mediaType,
    long sizeBytes,
    long spanSizeBytes,
    int attempt,
    Instant plannedAt)
    implements Event {}
