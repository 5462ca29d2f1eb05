/**
 * Images on this node: what their index offers for each layer, the decision whether a layer is read
 * lazily, and its reason.
 */
@NullMarked
package dev.socifleet.node.images;

import org.jspecify.annotations.NullMarked;
