package dev.socifleet.cli.index;

import dev.socifleet.oci.ImageReference;
import dev.socifleet.sociindex.PlatformChoice;
import dev.socifleet.sociindex.build.IndexRules;
import java.util.Optional;
import java.util.Set;

/**
 * What {@code soci index create} does.
 *
 * @param v2Tag the converted image's tag
 * @param referrers the artifact types whose referrers the converted image gets, too; none in it
 *     means all
 */
record RegistryIndexRequest(
    ImageReference image,
    PlatformChoice platforms,
    IndexRules rules,
    boolean v1,
    Optional<String> v2Tag,
    Optional<Set<String>> referrers) {}
