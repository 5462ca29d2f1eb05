package dev.socifleet.sociindex.build;

import dev.socifleet.sociindex.PrefetchArtifact.SpanRange;
import dev.socifleet.ztoc.MalformedZtocException;
import dev.socifleet.ztoc.Toc;
import dev.socifleet.ztoc.Ztoc;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalInt;

/** Looks things up in a zTOC's file list. */
final class ZtocLookup {
  private static final String OPAQUE = ".wh..wh..opq";

  private final Optional<Ztoc> ztoc;

  /**
   * @param bytes of a zTOC; nothing is found in one that no reader can use
   */
  ZtocLookup(byte[] bytes) {
    Optional<Ztoc> parsed;
    try {
      parsed = Optional.of(Ztoc.parse(bytes));
    } catch (MalformedZtocException e) {
      parsed = Optional.empty();
    }
    ztoc = parsed;
  }

  /** Whether no file has extended attributes and no directory hides those below it. */
  boolean hasNoXattrs() {
    if (ztoc.isEmpty()) {
      return false;
    }
    Toc toc = ztoc.get().toc();
    for (int file = 0; file < toc.size(); file++) {
      if (!toc.xattrs(file).isEmpty() || toc.nameText(file).endsWith(OPAQUE)) {
        return false;
      }
    }
    return true;
  }

  /** The spans of a file, and the one behind it where it ends on a boundary, as the field does. */
  Optional<SpanRange> spans(String name) {
    if (ztoc.isEmpty() || ztoc.get().spanCount() == 0) {
      return Optional.empty();
    }
    Toc toc = ztoc.get().toc();
    OptionalInt file = toc.find(name.getBytes(StandardCharsets.UTF_8));
    if (file.isEmpty()) {
      return Optional.empty();
    }
    long offset = toc.offset(file.getAsInt());
    return Optional.of(
        new SpanRange(
            ztoc.get().spanAt(offset), ztoc.get().spanAt(offset + toc.length(file.getAsInt()))));
  }
}
