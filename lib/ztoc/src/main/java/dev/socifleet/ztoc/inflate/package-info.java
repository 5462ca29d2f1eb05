/**
 * Inflate (RFC 1951) in gzip members (RFC 1952), stoppable at block boundaries and startable there.
 *
 * <p>Words: a <em>boundary</em> is the end of a block that is not a member's last, or the end of a
 * member's header: the places where a decoder can start if it knows the bit position and the 32 KiB
 * of output before it (the <em>window</em>). Its position is written as zlib's checkpoints are: the
 * offset of the first byte not touched yet, and how many of the high bits of the byte before it
 * still belong to what follows.
 *
 * <p>{@link dev.socifleet.ztoc.inflate.Inflate} decodes blocks, {@link
 * dev.socifleet.ztoc.inflate.GunzipDecoder} the members around them. Both work in arrays of their
 * caller; of their own they have tables, and room for the last bytes of input. What they accept and
 * refuse is what zlib's {@code inflate} accepts and refuses.
 */
@NullMarked
package dev.socifleet.ztoc.inflate;

import org.jspecify.annotations.NullMarked;
