package dev.socifleet.ztoc;

/**
 * How large a zTOC is going to be at most, counted while it is built, so that a layer that was made
 * to exhaust memory is refused before it does. Not thread-safe.
 */
final class ZtocBudget {
  /** Root, build tool, and as many forms of vtable as files can have. */
  private static final int BASE = 8192;

  private final long most;
  private long bytes = BASE;

  ZtocBudget(long most) {
    this.most = most;
  }

  void add(long more) {
    bytes += more;
  }

  long bytes() {
    return bytes;
  }

  /**
   * @param offset compressed bytes read, for the message
   */
  void check(long offset) throws Refusal {
    if (bytes > most) {
      throw new Refusal(
          "the zTOC would be larger than "
              + most
              + " bytes: too many files or spans; at compressed offset "
              + offset);
    }
  }
}
