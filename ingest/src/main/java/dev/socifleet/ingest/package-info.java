/** Webhooks of registries to soci.pushes. */
@NullMarked
package dev.socifleet.ingest;

import org.jspecify.annotations.NullMarked;
