/** What the snapshots service and the file system agree on: a lazily mounted layer. */
@NullMarked
package dev.socifleet.node.layers;

import org.jspecify.annotations.NullMarked;
