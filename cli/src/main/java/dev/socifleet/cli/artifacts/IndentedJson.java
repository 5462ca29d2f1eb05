package dev.socifleet.cli.artifacts;

/**
 * JSON text with its white space set anew: two spaces a level; texts and numbers stay as written.
 */
final class IndentedJson {
  private IndentedJson() {}

  static String of(String json) {
    StringBuilder out = new StringBuilder();
    int depth = 0;
    boolean text = false;
    for (int i = 0; i < json.length(); i++) {
      char c = json.charAt(i);
      if (text) {
        out.append(c);
        if (c == '\\' && i + 1 < json.length()) {
          out.append(json.charAt(++i));
        } else if (c == '"') {
          text = false;
        }
        continue;
      }
      switch (c) {
        case '"' -> {
          text = true;
          out.append(c);
        }
        case '{', '[' -> {
          int next = skipSpace(json, i + 1);
          out.append(c);
          if (next < json.length() && json.charAt(next) == (c == '{' ? '}' : ']')) {
            out.append(json.charAt(next));
            i = next;
          } else {
            line(out, ++depth);
          }
        }
        case '}', ']' -> {
          line(out, --depth);
          out.append(c);
        }
        case ',' -> {
          out.append(c);
          line(out, depth);
        }
        case ':' -> out.append(": ");
        case ' ', '\n', '\r', '\t' -> {}
        default -> out.append(c);
      }
    }
    return out.toString();
  }

  private static int skipSpace(String json, int from) {
    int at = from;
    while (at < json.length() && Character.isWhitespace(json.charAt(at))) {
      at++;
    }
    return at;
  }

  private static void line(StringBuilder out, int depth) {
    out.append('\n').append("  ".repeat(Math.max(0, depth)));
  }
}
