/** The node's small durable records: of snapshots, and of layers on its mount. */
@NullMarked
package dev.socifleet.node.database;

import org.jspecify.annotations.NullMarked;
