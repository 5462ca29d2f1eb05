package dev.socifleet.ztoc;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * Writes a flatbuffer ({@link FlatReader} draws its parts) as the builders of the flatbuffers
 * project do: from its end to its start, fields in the order in which they are added, each padded
 * in front to its size, a vtable only if none is like it. Single use.
 *
 * <p>Those builders would do; but a layer may have a hundred thousand files, each a dozen objects,
 * and a new process writes them before its compilers have got to that code. This one copies
 * straight into the array, and takes half the time.
 *
 * <p>A place is a distance from the end, which stays while the buffer grows.
 */
final class FlatWriter {
  private static final int REFERENCE = 4;
  private static final int LARGEST_ARRAY = Integer.MAX_VALUE - 8;

  /** Zeros in front of {@code start}: padding need not be written. */
  private byte[] bytes;

  private int start;
  private int largest = 1;

  /** Places of the vtables there are. */
  private final List<Integer> vtables = new ArrayList<>();

  /** Of the table being written: the place of each slot's field, 0 if absent, and where it ends. */
  private int[] fields = {};

  private int tableEnd;

  /**
   * @param expected bytes that will be written, so that the buffer need not grow
   */
  FlatWriter(int expected) {
    bytes = new byte[Math.max(expected, 64)];
    start = bytes.length;
  }

  private int place() {
    return bytes.length - start;
  }

  /** Makes room for {@code more} bytes, before which there are so many that they are aligned. */
  private void align(int size, int more) {
    largest = Math.max(largest, size);
    int padding = -(place() + more) & (size - 1);
    if (start < padding + more + size) {
      grow(padding + more + size);
    }
    start -= padding;
  }

  private void grow(int need) {
    int twice = (int) Math.min(2L * bytes.length, LARGEST_ARRAY);
    int capacity = Math.max(Math.addExact(bytes.length, need), twice);
    byte[] larger = new byte[capacity];
    int first = capacity - place();
    System.arraycopy(bytes, start, larger, first, place());
    bytes = larger;
    start = first;
  }

  /** Byte by byte: the compiler makes one store of it, and before that a VarHandle takes longer. */
  private void setInt(int at, int value) {
    bytes[at] = (byte) value;
    bytes[at + 1] = (byte) (value >>> 8);
    bytes[at + 2] = (byte) (value >>> 16);
    bytes[at + 3] = (byte) (value >>> 24);
  }

  private void putInt(int value) {
    start -= 4;
    setInt(start, value);
  }

  /** Refers to what is at a place, from here. */
  private void putReference(int to) {
    align(REFERENCE, 0);
    putInt(place() - to + REFERENCE);
  }

  int string(byte[] text) {
    return string(ByteBuffer.wrap(text), 0, text.length);
  }

  int string(ByteBuffer from, int at, int length) {
    align(1, 1);
    start--; // the NUL behind it
    align(REFERENCE, length);
    start -= length;
    from.get(at, bytes, start, length);
    putInt(length);
    return place();
  }

  /**
   * @param fill writes exactly {@code length} bytes; the buffer is little endian
   */
  int vector(int length, Consumer<ByteBuffer> fill) {
    align(REFERENCE, length);
    start -= length;
    fill.accept(ByteBuffer.wrap(bytes, start, length).slice().order(ByteOrder.LITTLE_ENDIAN));
    putInt(length);
    return place();
  }

  int vector(int[] places) {
    align(REFERENCE, Math.multiplyExact(REFERENCE, places.length));
    for (int i = places.length - 1; i >= 0; i--) {
      putReference(places[i]);
    }
    putInt(places.length);
    return place();
  }

  void startTable(int slots) {
    if (fields.length == slots) {
      Arrays.fill(fields, 0);
    } else {
      fields = new int[slots];
    }
    tableEnd = place();
  }

  void reference(int slot, int to) {
    putReference(to);
    fields[slot] = place();
  }

  /** A number that is left out if it is 0; so are the others. */
  void int64(int slot, long value) {
    if (value != 0) {
      align(8, 0);
      start -= 8;
      setInt(start, (int) value);
      setInt(start + 4, (int) (value >>> 32));
      fields[slot] = place();
    }
  }

  void int32(int slot, int value) {
    if (value != 0) {
      align(4, 0);
      putInt(value);
      fields[slot] = place();
    }
  }

  void int8(int slot, int value, int absent) {
    if (value != absent) {
      align(1, 0);
      start--;
      bytes[start] = (byte) value;
      fields[slot] = place();
    }
  }

  int endTable() {
    align(4, 0);
    putInt(0);
    int table = place();
    int used = fields.length;
    while (used > 0 && fields[used - 1] == 0) {
      used--;
    }
    int vtable = like(table, used);
    if (vtable == 0) {
      vtable = vtable(table, used);
    }
    setInt(bytes.length - table, vtable - table);
    return table;
  }

  private int vtable(int table, int used) {
    align(2, 2 * (2 + used));
    for (int i = used - 1; i >= 0; i--) {
      putShort(fields[i] == 0 ? 0 : table - fields[i]);
    }
    putShort(table - tableEnd);
    putShort(2 * (2 + used));
    vtables.add(place());
    return place();
  }

  private void putShort(int value) {
    start -= 2;
    bytes[start] = (byte) value;
    bytes[start + 1] = (byte) (value >>> 8);
  }

  /** The place of a vtable as the table's would be, 0 if there is none. */
  private int like(int table, int used) {
    for (int vtable : vtables) {
      int at = bytes.length - vtable;
      if (number(at) != 2 * (2 + used) || number(at + 2) != table - tableEnd) {
        continue;
      }
      int slot = 0;
      while (slot < used
          && number(at + 4 + 2 * slot) == (fields[slot] == 0 ? 0 : table - fields[slot])) {
        slot++;
      }
      if (slot == used) {
        return vtable;
      }
    }
    return 0;
  }

  private int number(int at) {
    return (bytes[at] & 0xff) | (bytes[at + 1] & 0xff) << 8;
  }

  byte[] finish(int root) {
    align(largest, REFERENCE);
    putReference(root);
    return Arrays.copyOfRange(bytes, start, bytes.length);
  }
}
