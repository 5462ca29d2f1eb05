package dev.socifleet.node.mounts;

import dev.socifleet.ztoc.tar.EntryType;
import dev.socifleet.ztoc.tar.TarEntry;
import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Writes the headers of tar members: one ustar block, with a PAX header before it for what doesn't
 * fit (POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header").
 *
 * <pre>
 *   0 name[100]  100 mode[8]  108 uid[8]  116 gid[8]  124 size[12]  136 mtime[12]  148 checksum[8]
 * 156 type[1]    157 link name[100]  257 "ustar\0" "00"  265 user[32]  297 group[32]
 * 329 device major[8]  337 device minor[8]  345 prefix[155]  500 zeros[12]
 * </pre>
 */
final class TarHeaders {
  static final int BLOCK = 512;

  private static final Comparator<byte[]> BYTES = Arrays::compareUnsigned;
  private static final long MOST_IN_7_DIGITS = 07777777;
  private static final long MOST_IN_11_DIGITS = 077777777777L;
  // What the fields of the member say; every other record is carried over.
  private static final Set<String> FIELDS =
      Set.of("path", "linkpath", "size", "uid", "gid", "uname", "gname", "mtime");

  private TarHeaders() {}

  /** The headers of a member like {@code entry} with these PAX records instead of its own. */
  static byte[] of(TarEntry entry, byte[] name, SortedMap<byte[], byte[]> records) {
    SortedMap<byte[], byte[]> pax = new TreeMap<>(BYTES);
    records.forEach((key, value) -> {
      if (!FIELDS.contains(latin1(key))) {
        pax.put(key, value);
      }
    });
    byte[] block = new byte[BLOCK];
    field(block, 0, 100, name, pax, "path");
    number(block, 100, 8, entry.mode() & 07777);
    number(block, 108, 8, fitting(entry.uid(), MOST_IN_7_DIGITS, pax, "uid"));
    number(block, 116, 8, fitting(entry.gid(), MOST_IN_7_DIGITS, pax, "gid"));
    long size = entry.type().hasData() ? entry.size() : 0;
    number(block, 124, 12, fitting(size, MOST_IN_11_DIGITS, pax, "size"));
    number(block, 136, 12, Math.clamp(entry.seconds(), 0, MOST_IN_11_DIGITS));
    if (entry.nanos() != 0 || entry.seconds() < 0 || entry.seconds() > MOST_IN_11_DIGITS) {
      pax.put(latin1("mtime"), latin1(time(entry.seconds(), entry.nanos())));
    }
    block[156] = type(entry.type());
    field(block, 157, 100, entry.linkName(), pax, "linkpath");
    number(block, 329, 8, Math.clamp(entry.deviceMajor(), 0, MOST_IN_7_DIGITS));
    number(block, 337, 8, Math.clamp(entry.deviceMinor(), 0, MOST_IN_7_DIGITS));
    sign(block);
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    if (!pax.isEmpty()) {
      extended(all, pax);
    }
    all.writeBytes(block);
    return all.toByteArray();
  }

  private static void extended(ByteArrayOutputStream out, SortedMap<byte[], byte[]> pax) {
    ByteArrayOutputStream records = new ByteArrayOutputStream();
    for (Map.Entry<byte[], byte[]> entry : pax.entrySet()) {
      int rest = entry.getKey().length + entry.getValue().length + 3; // " " "=" "\n"
      int length = rest + Integer.toString(rest).length();
      if (Integer.toString(length).length() > Integer.toString(rest).length()) {
        length++; // its own length has one digit more
      }
      records.writeBytes(latin1(length + " "));
      records.writeBytes(entry.getKey());
      records.write('=');
      records.writeBytes(entry.getValue());
      records.write('\n');
    }
    byte[] block = new byte[BLOCK];
    byte[] name = latin1("pax");
    System.arraycopy(name, 0, block, 0, name.length);
    number(block, 100, 8, 0644);
    number(block, 108, 8, 0);
    number(block, 116, 8, 0);
    number(block, 124, 12, records.size());
    number(block, 136, 12, 0);
    block[156] = 'x';
    sign(block);
    out.writeBytes(block);
    out.writeBytes(Arrays.copyOf(records.toByteArray(), (records.size() + BLOCK - 1) & -BLOCK));
  }

  private static void sign(byte[] block) {
    byte[] magic = latin1("ustar\00000");
    System.arraycopy(magic, 0, block, 257, magic.length);
    Arrays.fill(block, 148, 156, (byte) ' ');
    int sum = 0;
    for (byte b : block) {
      sum += b & 0xff;
    }
    byte[] digits = latin1(String.format(Locale.ROOT, "%06o\0 ", sum));
    System.arraycopy(digits, 0, block, 148, digits.length);
  }

  private static void field(
      byte[] block,
      int offset,
      int length,
      byte[] value,
      SortedMap<byte[], byte[]> pax,
      String key) {
    System.arraycopy(value, 0, block, offset, Math.min(length, value.length));
    if (value.length > length) {
      pax.put(latin1(key), value);
    }
  }

  private static long fitting(long value, long most, SortedMap<byte[], byte[]> pax, String key) {
    if (value >= 0 && value <= most) {
      return value;
    }
    pax.put(latin1(key), latin1(Long.toString(value)));
    return 0;
  }

  private static void number(byte[] block, int offset, int length, long value) {
    byte[] digits = latin1(String.format(Locale.ROOT, "%0" + (length - 1) + "o", value));
    System.arraycopy(digits, 0, block, offset, digits.length);
  }

  private static String time(long seconds, int nanos) {
    return new BigDecimal(seconds).add(new BigDecimal(nanos).movePointLeft(9)).toPlainString();
  }

  private static byte type(EntryType type) {
    return (byte)
        switch (type) {
          case REGULAR -> '0';
          case HARD_LINK -> '1';
          case SYMBOLIC_LINK -> '2';
          case CHARACTER_DEVICE -> '3';
          case BLOCK_DEVICE -> '4';
          case DIRECTORY -> '5';
          case FIFO -> '6';
        };
  }

  static byte[] latin1(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  static String latin1(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }
}
