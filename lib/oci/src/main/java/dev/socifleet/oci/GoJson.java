package dev.socifleet.oci;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Writes JSON as Go's {@code encoding/json} does, to the byte: no spaces, map keys sorted, {@code
 * <}, {@code >}, {@code &}, U+2028 and U+2029 escaped, other text as UTF-8. Existing tools
 * re-encode documents and compare digests. One use, one thread.
 */
final class GoJson {
  private final StringBuilder out = new StringBuilder(1024);
  private boolean first = true;

  GoJson object() {
    out.append('{');
    first = true;
    return this;
  }

  GoJson end() {
    out.append('}');
    first = false;
    return this;
  }

  GoJson key(String key) {
    if (!first) {
      out.append(',');
    }
    first = false;
    string(key);
    out.append(':');
    return this;
  }

  GoJson text(String key, String value) {
    key(key);
    string(value);
    return this;
  }

  /** Left out when empty, as a Go field tagged {@code omitempty}. */
  GoJson optionalText(String key, String value) {
    return value.isEmpty() ? this : text(key, value);
  }

  GoJson number(String key, long value) {
    key(key);
    out.append(value);
    return this;
  }

  GoJson optionalTexts(String key, List<String> values) {
    if (values.isEmpty()) {
      return this;
    }
    key(key);
    out.append('[');
    for (int i = 0; i < values.size(); i++) {
      if (i > 0) {
        out.append(',');
      }
      string(values.get(i));
    }
    out.append(']');
    return this;
  }

  GoJson optionalMap(String key, Map<String, String> values) {
    if (values.isEmpty()) {
      return this;
    }
    key(key).object();
    // Go sorts keys by their UTF-8 bytes: the order of code points, not of Java's chars.
    TreeMap<String, String> sorted =
        new TreeMap<>((a, b) ->
            Arrays.compareUnsigned(
                a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8)));
    sorted.putAll(values);
    sorted.forEach(this::text);
    return end();
  }

  GoJson descriptors(String key, List<Descriptor> values) {
    key(key);
    out.append('[');
    for (int i = 0; i < values.size(); i++) {
      if (i > 0) {
        out.append(',');
      }
      descriptor(values.get(i));
    }
    out.append(']');
    first = false;
    return this;
  }

  GoJson optionalDescriptor(String key, @Nullable Descriptor value) {
    if (value != null) {
      key(key);
      descriptor(value);
    }
    return this;
  }

  byte[] bytes() {
    return out.toString().getBytes(StandardCharsets.UTF_8);
  }

  private void descriptor(Descriptor value) {
    object().text("mediaType", value.mediaType()).text("digest", value.digest().toString());
    number("size", value.size());
    optionalTexts("urls", value.urls());
    optionalMap("annotations", value.annotations());
    optionalText("data", value.data());
    Platform platform = value.platform();
    if (platform != null) {
      key("platform").object();
      text("architecture", platform.architecture()).text("os", platform.os());
      optionalText("os.version", platform.osVersion());
      optionalTexts("os.features", platform.osFeatures());
      optionalText("variant", platform.variant());
      end();
    }
    optionalText("artifactType", value.artifactType());
    end();
  }

  private void string(String value) {
    out.append('"');
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        case '<', '>', '&', '\u2028', '\u2029' -> escape(c);
        default -> {
          if (c < 0x20) {
            escape(c);
          } else if (Character.isSurrogate(c) && !isPair(value, i)) {
            out.append('\ufffd');
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }

  private static boolean isPair(String value, int i) {
    return Character.isHighSurrogate(value.charAt(i))
        ? i + 1 < value.length() && Character.isLowSurrogate(value.charAt(i + 1))
        : i > 0 && Character.isHighSurrogate(value.charAt(i - 1));
  }

  private void escape(char c) {
    out.append(String.format("\\u%04x", (int) c));
  }
}
