package dev.socifleet.node.layers;

/** A layer that a zTOC describes but from which this node could not serve true content: why. */
public final class UnservableLayerException extends Exception {
  public UnservableLayerException(String message) {
    super(message);
  }
}
