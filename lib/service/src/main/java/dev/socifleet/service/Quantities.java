package dev.socifleet.service;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes, durations and addresses as people write them. */
final class Quantities {
  private static final Pattern NUMBER_WITH_UNIT =
      Pattern.compile("\\s*(\\d{1,18})\\s*([A-Za-z]*)\\s*");
  private static final Pattern ADDRESS =
      Pattern.compile("(?<host>\\[[0-9a-fA-F:.]+\\]|[^:\\[\\]\\s]+):(?<port>\\d{1,5})");

  private Quantities() {}

  static long bytes(String text) {
    Matcher matcher = match(text, "64MiB");
    long unit =
        switch (matcher.group(2).toLowerCase(Locale.ROOT)) {
          case "", "b" -> 1L;
          case "kb" -> 1_000L;
          case "mb" -> 1_000_000L;
          case "gb" -> 1_000_000_000L;
          case "tb" -> 1_000_000_000_000L;
          case "k", "kib" -> 1L << 10;
          case "m", "mib" -> 1L << 20;
          case "g", "gib" -> 1L << 30;
          case "t", "tib" -> 1L << 40;
          default -> throw new IllegalArgumentException("units are B, KiB, MiB, GiB, TiB, KB … TB");
        };
    return Math.multiplyExact(Long.parseLong(matcher.group(1)), unit);
  }

  static Duration duration(String text) {
    Matcher matcher = match(text, "30s");
    long number = Long.parseLong(matcher.group(1));
    return switch (matcher.group(2).toLowerCase(Locale.ROOT)) {
      case "ms" -> Duration.ofMillis(number);
      case "s" -> Duration.ofSeconds(number);
      case "m" -> Duration.ofMinutes(number);
      case "h" -> Duration.ofHours(number);
      case "d" -> Duration.ofDays(number);
      default -> throw new IllegalArgumentException("units are ms, s, m, h, d");
    };
  }

  static InetSocketAddress address(String text) {
    Matcher matcher = ADDRESS.matcher(text.strip());
    if (!matcher.matches()) {
      throw new IllegalArgumentException("expected host:port, such as 127.0.0.1:8080");
    }
    String host = matcher.group("host");
    int port = Integer.parseInt(matcher.group("port"));
    if (port > 65_535) {
      throw new IllegalArgumentException("ports end at 65535");
    }
    return InetSocketAddress.createUnresolved(
        host.startsWith("[") ? host.substring(1, host.length() - 1) : host, port);
  }

  private static Matcher match(String text, String example) {
    Matcher matcher = NUMBER_WITH_UNIT.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("expected a number and a unit, such as " + example);
    }
    return matcher;
  }
}
