/**
 * The kernel's FUSE protocol, spoken over java.lang.foreign. Knows no layers.
 *
 * <p>A <em>mount</em> ({@link dev.socifleet.fuse.FuseMount}) is served by a session: threads that
 * read <em>requests</em> from /dev/fuse and call a {@link dev.socifleet.fuse.FileSystem}, which
 * answers by a {@link dev.socifleet.fuse.Reply}, at once or <em>deferred</em>. A file system knows
 * <em>nodes</em> by numbers, and names within a directory. The kernel keeps what it was told
 * (entries, attributes, content, lists) for as long as it was told to.
 *
 * <p>Deadlocks: a process that serves a mount must not use it, not even by its class path, its
 * temporary directory or its log; and a file system must not wait on a session's thread, since
 * those are few.
 */
@NullMarked
package dev.socifleet.fuse;

import org.jspecify.annotations.NullMarked;
