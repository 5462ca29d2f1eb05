package dev.socifleet.node.images;

import dev.socifleet.node.layers.LayerKey;
import org.jspecify.annotations.Nullable;

/**
 * What became of a layer.
 *
 * @param detail the reason in words, for people; may quote what a registry or a label said
 * @param layer the lazy layer; null unless {@code reason} is {@link Reason#LAZY}
 */
public record Outcome(Reason reason, String detail, @Nullable LayerKey layer) {
  static Outcome lazy(LayerKey layer) {
    return new Outcome(Reason.LAZY, "read lazily by zTOC " + layer.ztoc(), layer);
  }

  static Outcome not(Reason reason, String detail) {
    return new Outcome(reason, detail, null);
  }
}
