package dev.socifleet.ztoc.inflate;

/** Why a decoder returned to its caller. */
public enum Event {
  /** It needs more input: keep the unread bytes, put new ones behind them, and go on. */
  INPUT,
  /** The output limit is reached or passed. */
  OUTPUT,
  /** It stands at a boundary: after a member's header, or after a block that is not the last. */
  BOUNDARY,
  /** {@link Inflate}: after a last block. {@link GunzipDecoder}: at the end of all input. */
  END
}
