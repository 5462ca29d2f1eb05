package dev.socifleet.ztoc;

import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Arrays;

/**
 * A modification time as a zTOC writes it: RFC 3339, {@code YYYY-MM-DDThh:mm:ss[.fraction]Z}, the
 * fraction without trailing zeros.
 *
 * @param seconds since 1970 UTC
 * @param nanos 0 to 999,999,999
 */
record Timestamp(long seconds, int nanos) {
  /** What text that is no time reads as: the first second of the year 1, Go's zero time. */
  static final Timestamp ZERO = new Timestamp(-62135596800L, 0);

  private static final long YEAR_0 = -62167219200L;
  private static final long YEAR_10000 = 253402300800L;

  /** The text; empty for years that have no four digits, as Go leaves it. */
  byte[] text() {
    if (seconds < YEAR_0 || seconds >= YEAR_10000) {
      return new byte[0];
    }
    LocalDateTime time = LocalDateTime.ofEpochSecond(seconds, nanos, ZoneOffset.UTC);
    byte[] text = new byte[30];
    digits(text, 0, 4, time.getYear());
    text[4] = '-';
    digits(text, 5, 2, time.getMonthValue());
    text[7] = '-';
    digits(text, 8, 2, time.getDayOfMonth());
    text[10] = 'T';
    digits(text, 11, 2, time.getHour());
    text[13] = ':';
    digits(text, 14, 2, time.getMinute());
    text[16] = ':';
    digits(text, 17, 2, time.getSecond());
    int end = 19;
    if (nanos != 0) {
      text[19] = '.';
      digits(text, 20, 9, nanos);
      end = 29;
      while (text[end - 1] == '0') {
        end--;
      }
    }
    text[end] = 'Z';
    return Arrays.copyOf(text, end + 1);
  }

  private static void digits(byte[] text, int at, int n, int value) {
    int rest = value;
    for (int i = at + n - 1; i >= at; i--) {
      text[i] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
  }

  /** Reads such a text, also with a zone {@code ±hh:mm}; what is none reads as {@link #ZERO}. */
  static Timestamp parse(byte[] text, int from, int length) {
    try {
      return new Reader(text, from, from + length).time();
    } catch (DateTimeException e) {
      return ZERO;
    }
  }

  /** Walks over the text; throws DateTimeException where something else was expected. */
  private static final class Reader {
    private final byte[] text;
    private final int end;
    private int at;

    Reader(byte[] text, int from, int end) {
      this.text = text;
      this.at = from;
      this.end = end;
    }

    Timestamp time() {
      int year = number(4, 9999);
      mark('-');
      int month = number(2, 12);
      mark('-');
      int day = number(2, 31);
      mark('T');
      long seconds = LocalDate.of(year, month, day).toEpochDay() * 86400 + 3600L * number(2, 23);
      mark(':');
      seconds += 60L * number(2, 59);
      mark(':');
      seconds += number(2, 59);
      int nanos = 0;
      if (peek() == '.') {
        at++;
        nanos = fraction();
      }
      seconds -= zone();
      if (at != end) {
        throw new DateTimeException("more text");
      }
      return new Timestamp(seconds, nanos);
    }

    private int zone() {
      int sign = peek();
      at++;
      if (sign == 'Z') {
        return 0;
      }
      if (sign != '+' && sign != '-') {
        throw new DateTimeException("no zone");
      }
      int seconds = 3600 * number(2, 24);
      mark(':');
      seconds += 60 * number(2, 60);
      return sign == '-' ? -seconds : seconds;
    }

    private int fraction() {
      int nanos = 0;
      int unit = 100_000_000;
      int first = at;
      for (; Character.isDigit(peek()); at++) {
        nanos += (text[at] - '0') * unit;
        unit /= 10;
      }
      if (at == first) {
        throw new DateTimeException("no fraction");
      }
      return nanos;
    }

    private int number(int digits, int most) {
      int value = 0;
      for (int i = 0; i < digits; i++) {
        int digit = peek() - '0';
        if (digit < 0 || digit > 9) {
          throw new DateTimeException("no digit");
        }
        value = 10 * value + digit;
        at++;
      }
      if (value > most) {
        throw new DateTimeException("too large");
      }
      return value;
    }

    private void mark(char wanted) {
      if (peek() != wanted) {
        throw new DateTimeException("no " + wanted);
      }
      at++;
    }

    /** The next character, 0 at the end; above 127 none that is asked for. */
    private int peek() {
      return at < end ? (text[at] & 0x7f) | (text[at] < 0 ? 0x100000 : 0) : 0;
    }
  }
}
