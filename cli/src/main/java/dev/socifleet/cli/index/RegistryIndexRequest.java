package dev.socifleet.cli.index;

import dev.socifleet.oci.ImageReference;
import dev.socifleet.sociindex.PlatformChoice;
import dev.socifleet.sociindex.build.IndexRules;
import java.util.Optional;

/**
 * What {@code soci index create} does.
 *
 * @param v2Tag the converted image's tag
 */
record RegistryIndexRequest(
    ImageReference image,
    PlatformChoice platforms,
    IndexRules rules,
    boolean v1,
    Optional<String> v2Tag) {}
