package dev.socifleet.node.snapshots;

import static dev.socifleet.node.snapshots.SnapshotException.Reason.INVALID_ARGUMENT;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * containerd's filter language, for snapshots: selectors joined by commas, all of which must hold.
 *
 * <pre>
 * selector = path [ operator value ]     without operator: the field is set
 * path     = field { "." field }         name, parent, kind, labels.&lt;key&gt;; quoted where it has dots
 * operator = "==" | "!=" | "~="
 * value    = quoted text, or anything without comma and space
 * </pre>
 */
final class SnapshotFilter {
  private final String text;
  private int position;

  private SnapshotFilter(String text) {
    this.text = text;
  }

  /** Matches what any one of the filters matches; everything when there are none. */
  static Predicate<Snapshot> anyOf(List<String> filters) throws SnapshotException {
    Predicate<Snapshot> any = filters.isEmpty() ? snapshot -> true : snapshot -> false;
    for (String filter : filters) {
      any = any.or(new SnapshotFilter(filter).parse());
    }
    return any;
  }

  private Predicate<Snapshot> parse() throws SnapshotException {
    Predicate<Snapshot> all = snapshot -> true;
    if (text.isBlank()) {
      return all;
    }
    do {
      all = all.and(selector());
    } while (accept(","));
    if (position < text.length()) {
      throw bad("expected a comma or the end");
    }
    return all;
  }

  private Predicate<Snapshot> selector() throws SnapshotException {
    List<String> path = new ArrayList<>();
    do {
      path.add(field());
    } while (accept("."));
    if (accept("==")) {
      String value = value();
      return snapshot -> of(snapshot, path).map(value::equals).orElse(false);
    }
    if (accept("!=")) {
      String value = value();
      return snapshot -> !of(snapshot, path).orElse("").equals(value);
    }
    if (accept("~=")) {
      Pattern pattern = pattern(value());
      return snapshot -> pattern.matcher(of(snapshot, path).orElse("")).find();
    }
    return snapshot -> of(snapshot, path).isPresent();
  }

  private static Optional<String> of(Snapshot snapshot, List<String> path) {
    return switch (path.getFirst()) {
      case "name" -> Optional.of(snapshot.name());
      case "parent" -> Optional.of(snapshot.parent());
      case "kind" -> Optional.of(snapshot.kind().name().toLowerCase(Locale.ROOT));
      case "labels" ->
          Optional.ofNullable(
              snapshot.labels().get(String.join(".", path.subList(1, path.size()))));
      default -> Optional.empty();
    };
  }

  private String field() throws SnapshotException {
    skipSpaces();
    if (position < text.length() && text.charAt(position) == '"') {
      return quoted('"');
    }
    int start = position;
    while (position < text.length() && isFieldCharacter(text.charAt(position))) {
      position++;
    }
    if (position == start) {
      throw bad("expected a field");
    }
    return text.substring(start, position);
  }

  private String value() throws SnapshotException {
    skipSpaces();
    if (position >= text.length()) {
      throw bad("expected a value");
    }
    char first = text.charAt(position);
    if (first == '"' || first == '/' || first == '|') {
      return quoted(first);
    }
    int start = position;
    while (position < text.length()
        && text.charAt(position) != ','
        && !Character.isWhitespace(text.charAt(position))) {
      position++;
    }
    return text.substring(start, position);
  }

  /** A text in quotes with Go's escapes: a backslash and a character, xHH or uHHHH. */
  private String quoted(char quote) throws SnapshotException {
    StringBuilder value = new StringBuilder();
    for (position++; position < text.length(); position++) {
      char c = text.charAt(position);
      if (c == quote) {
        position++;
        return value.toString();
      }
      if (c != '\\' || position + 1 == text.length()) {
        value.append(c);
        continue;
      }
      char escaped = text.charAt(++position);
      switch (escaped) {
        case 'n' -> value.append('\n');
        case 't' -> value.append('\t');
        case 'r' -> value.append('\r');
        case 'x' -> value.append(hex(2));
        case 'u' -> value.append(hex(4));
        default -> {
          // A regular expression between slashes keeps its own escapes.
          if (quote != '"' && escaped != quote) {
            value.append('\\');
          }
          value.append(escaped);
        }
      }
    }
    throw bad("a quote is not closed");
  }

  private char hex(int digits) throws SnapshotException {
    int start = position + 1;
    int end = start + digits;
    try {
      char c = (char) Integer.parseInt(text.substring(start, Math.min(end, text.length())), 16);
      position = end - 1;
      return c;
    } catch (NumberFormatException e) {
      throw bad("expected " + digits + " hex digits");
    }
  }

  private Pattern pattern(String regex) throws SnapshotException {
    try {
      return Pattern.compile(regex);
    } catch (PatternSyntaxException e) {
      throw bad("not a regular expression: " + e.getDescription());
    }
  }

  private boolean accept(String token) {
    skipSpaces();
    if (!text.startsWith(token, position)) {
      return false;
    }
    position += token.length();
    return true;
  }

  private void skipSpaces() {
    while (position < text.length() && Character.isWhitespace(text.charAt(position))) {
      position++;
    }
  }

  private static boolean isFieldCharacter(char c) {
    return c == '_' || Character.isLetterOrDigit(c);
  }

  private SnapshotException bad(String expected) {
    return new SnapshotException(
        INVALID_ARGUMENT, "filter '" + text + "' at " + position + ": " + expected);
  }
}
