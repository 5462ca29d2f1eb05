/** The containerd proxy snapshotter and its lazy file system. */
@NullMarked
package dev.socifleet.node;

import org.jspecify.annotations.NullMarked;
