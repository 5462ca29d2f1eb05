/**
 * Bytes by digest on disk, within a limit.
 *
 * <dl>
 *   <dt>value
 *   <dd>the bytes of a span, or a piece of a zTOC, under their sha256
 *   <dt>index
 *   <dd>the sizes and proofs of all values, in memory and in a column family of its own
 *   <dt>proof
 *   <dd>that a range of a blob has this digest: shown by a fetch from that very blob, or by a zTOC
 *       from a holder of the fleet token
 *   <dt>garbage
 *   <dd>bytes in blob files that belong to no value any more, and count towards the limit until the
 *       file is collected
 * </dl>
 */
@NullMarked
package dev.socifleet.fetchcache.store;

import org.jspecify.annotations.NullMarked;
