package dev.socifleet.node.images;

import java.util.Locale;

/** Why a layer is lazy, or isn't. */
public enum Reason {
  /** It is read lazily. */
  LAZY,
  /** The registry has no SOCI index for the image. */
  NO_INDEX,
  /** The index has no zTOC for this layer. */
  NO_ZTOC,
  /** It is smaller than {@code min-layer-size}. */
  TOO_SMALL,
  /** The zTOC is good, but true content can't be served from it: sparse files and the like. */
  UNSERVABLE,
  /** Index or zTOC isn't what it says: another digest, another size, malformed, too large. */
  BROKEN,
  /** The snapshot's labels don't say which layer of which image it is. */
  LABELS,
  /** The image's registry or repository isn't in the allow-list. */
  NOT_ALLOWED,
  /** The registry doesn't let us pull: 401 or 403. */
  DENIED,
  /** Something that may pass: no answer, 5xx, 429, a full disk. Tried again at the next request. */
  TEMPORARY,
  /** Not ready within {@code mount-timeout}; its loading goes on. */
  TIMED_OUT;

  /** As in metrics and JSON: {@code no-index}. */
  public String code() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
