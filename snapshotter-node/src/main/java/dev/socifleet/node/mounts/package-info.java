/**
 * Images mounted without containerd, for {@code soci mount}: which layers an image reference means,
 * lazy where they can be, and unpacked by the node where they can't.
 */
@NullMarked
package dev.socifleet.node.mounts;

import org.jspecify.annotations.NullMarked;
