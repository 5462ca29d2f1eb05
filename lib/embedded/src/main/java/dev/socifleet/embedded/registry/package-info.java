/**
 * A small OCI registry in this process (OCI distribution specification 1.1), for {@code soci up},
 * {@code soci demo} and tests.
 *
 * <dl>
 *   <dt>content
 *   <dd>the bytes of a digest, kept once for all repositories
 *   <dt>link
 *   <dd>a small file that says: this repository has this content. Without it a repository answers
 *       "unknown", whatever lies in the content store
 *   <dt>exchange
 *   <dd>one request and its answer, as blocking calls on a virtual thread
 *   <dt>problem
 *   <dd>an answer that isn't success: a status and a code of the specification
 * </dl>
 */
@NullMarked
package dev.socifleet.embedded.registry;

import org.jspecify.annotations.NullMarked;
