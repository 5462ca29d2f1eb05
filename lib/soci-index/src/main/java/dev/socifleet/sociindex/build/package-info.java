/**
 * Builds the zTOCs of an image's layers, wherever the layers are and whereto the zTOCs go.
 *
 * <dl>
 *   <dt>{@link dev.socifleet.sociindex.build.LayerBlobs}
 *   <dd>where layers come from: an OCI layout, a content store, a registry
 *   <dt>{@link dev.socifleet.sociindex.build.ZtocStore}
 *   <dd>where zTOCs go to, and earlier ones are found
 * </dl>
 */
@NullMarked
package dev.socifleet.sociindex.build;

import org.jspecify.annotations.NullMarked;
