/**
 * containerd's snapshots service. A <i>snapshot</i> is a directory tree: <i>active</i> while it is
 * written (a container's, or a layer's being unpacked), a <i>view</i> while it is only read, and
 * <i>committed</i> when it may be a parent. Active ones and views have a <i>key</i>, committed ones
 * a <i>name</i>; both share one space of names. A committed snapshot is <i>lazy</i> when it has no
 * directory of its own: its content is a layer on the node's FUSE mount ({@link
 * dev.socifleet.node.layers.LazyLayers}). {@link dev.socifleet.node.snapshots.Snapshotter} is the
 * state machine, {@link dev.socifleet.node.snapshots.SnapshotsService} its gRPC face.
 */
@NullMarked
package dev.socifleet.node.snapshots;

import org.jspecify.annotations.NullMarked;
