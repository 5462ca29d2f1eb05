/**
 * The registry's domain: digests, references, descriptors, manifests, and a client of the OCI
 * distribution API. Knows no SOCI.
 *
 * <dl>
 *   <dt>digest
 *   <dd>algorithm and hash of a blob's bytes; the only identity a blob has
 *   <dt>descriptor
 *   <dd>media type, digest and size of a blob, as one document says it of another
 *   <dt>repository
 *   <dd>a registry host and a name in it; what credentials and tokens are scoped to
 *   <dt>referrer
 *   <dd>a manifest whose {@code subject} is another manifest
 * </dl>
 */
@NullMarked
package dev.socifleet.oci;

import org.jspecify.annotations.NullMarked;
