package dev.socifleet.node.images;

import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import org.jspecify.annotations.Nullable;

/**
 * What an index is looked up for.
 *
 * @param manifest of the image, not of an image index
 * @param index the SOCI index that the pull names; null to look for one
 */
public record ImageId(RepositoryName repository, Digest manifest, @Nullable Digest index) {}
