/**
 * {@code soci rpull}: pulls an image through containerd so that its layers are read lazily.
 *
 * <dl>
 *   <dt>document
 *   <dd>an index, a manifest or a config: small, always written into containerd's content store
 *   <dt>lazy layer
 *   <dd>one that the snapshotter made at once when it was asked to prepare it; nothing is
 *       downloaded
 *   <dt>left layer
 *   <dd>one that the snapshotter left to the client: downloaded into the content store and unpacked
 *       by containerd
 *   <dt>chain id
 *   <dd>the name of a layer's snapshot, from its diff id and those below it (OCI image
 *       specification, config.md, "Layer ChainID")
 * </dl>
 */
@NullMarked
package dev.socifleet.cli.rpull;

import org.jspecify.annotations.NullMarked;
