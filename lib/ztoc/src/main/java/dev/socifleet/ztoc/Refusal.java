package dev.socifleet.ztoc;

/** Ends a build: the content can't have a zTOC. The message becomes the outcome's reason. */
final class Refusal extends Exception {
  private static final long serialVersionUID = 1L;

  Refusal(String reason) {
    super(reason, null, false, false);
  }
}
