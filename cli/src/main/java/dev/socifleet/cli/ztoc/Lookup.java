package dev.socifleet.cli.ztoc;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.ztoc.Toc;
import dev.socifleet.ztoc.tar.EntryType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;

/**
 * Finds files as people name them: {@code /etc/passwd} is also {@code ./etc/passwd}; links are
 * followed within the layer.
 */
final class Lookup {
  /** As many links as Linux follows. */
  private static final int MOST_LINKS = 40;

  private final Toc toc;
  private final Map<String, Integer> files = new HashMap<>();

  Lookup(Toc toc) {
    this.toc = toc;
    for (int i = 0; i < toc.size(); i++) {
      files.put(clean(toc.nameText(i)), i); // of equal names the last counts
    }
  }

  /** The regular file that a name leads to. */
  int regularFile(String name) {
    String at = clean(name);
    for (int links = 0; links <= MOST_LINKS; links++) {
      Integer file = files.get(at);
      if (file == null) {
        throw new CommandFailure(
            links == 0
                ? "there is no " + name + " in the layer; soci ztoc list shows what there is"
                : name + " is a link to " + at + ", which is not in the layer");
      }
      String target = new String(toc.linkName(file), StandardCharsets.UTF_8);
      EntryType type = toc.type(file);
      switch (type) {
        case REGULAR -> {
          return file;
        }
        case HARD_LINK -> at = clean(target);
        case SYMBOLIC_LINK ->
            at = clean(target.startsWith("/") ? target : parent(at) + "/" + target);
        default ->
            throw new CommandFailure(
                name + " is no regular file, but of type " + type.word() + "; it has no data");
      }
    }
    throw new CommandFailure(name + " leads to more than " + MOST_LINKS + " links");
  }

  private static String parent(String name) {
    return name.substring(0, Math.max(0, name.lastIndexOf('/')));
  }

  /** Without empty parts, {@code .} and {@code ..}. */
  private static String clean(String name) {
    ArrayDeque<String> parts = new ArrayDeque<>();
    for (String part : name.split("/")) {
      if (part.equals("..")) {
        parts.pollLast();
      } else if (!part.isEmpty() && !part.equals(".")) {
        parts.add(part);
      }
    }
    return String.join("/", parts);
  }
}
