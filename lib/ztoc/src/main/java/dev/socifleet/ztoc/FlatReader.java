package dev.socifleet.ztoc;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Reads flatbuffers that nobody has verified: every access is checked against the buffer first, and
 * nothing is allocated.
 *
 * <pre>
 *  table:  int32 distance back to its vtable, then the fields
 *  vtable: uint16 its size, uint16 the table's size, then for each slot uint16 where the field is
 *          in the table, 0 if absent
 *  string, vector: uint32 count, then the elements
 *  reference: uint32 distance forward, from the reference itself
 * </pre>
 *
 * A place is an index into the buffer; {@link #ABSENT} stands for a field that is not there.
 */
final class FlatReader {
  static final int ABSENT = 0;

  private static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final byte[] bytes;
  private final int start;
  private final int end;

  /** Reads {@code bytes[start, end)}; places are indexes into the whole array. */
  FlatReader(byte[] bytes, int start, int end) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  /** The root table. */
  int root(String what) throws MalformedZtocException {
    need(start, 4, what);
    return table(start, what);
  }

  private void need(long at, long n, String what) throws MalformedZtocException {
    if (at < start || n > end - at) {
      throw new MalformedZtocException(what + " within the buffer", at - start);
    }
  }

  private int reference(int at, String what) throws MalformedZtocException {
    long target = at + (int32(at) & 0xffffffffL);
    need(target, 4, what);
    return (int) target;
  }

  /** The table that the reference at {@code at} leads to; its vtable is whole. */
  private int table(int at, String what) throws MalformedZtocException {
    int table = reference(at, what);
    long vtable = table - (long) int32(table);
    need(vtable, 4, what + "'s vtable");
    int size = uint16((int) vtable);
    if (size < 4 || size % 2 != 0) {
      throw new MalformedZtocException("an even size of " + what + "'s vtable", vtable - start);
    }
    need(vtable, size, what + "'s vtable");
    int tableSize = uint16((int) vtable + 2);
    if (tableSize < 4) {
      throw new MalformedZtocException("a size of " + what, vtable - start);
    }
    need(table, tableSize, what);
    return table;
  }

  /** Where a field of {@code size} bytes is, or {@link #ABSENT}. */
  int field(int table, int slot, int size, String what) throws MalformedZtocException {
    int vtable = table - int32(table);
    if (4 + 2 * slot >= uint16(vtable)) {
      return ABSENT;
    }
    int offset = uint16(vtable + 4 + 2 * slot);
    if (offset == 0) {
      return ABSENT;
    }
    if (offset < 4 || offset + size > uint16(vtable + 2)) {
      throw new MalformedZtocException(what + " within its table", vtable - (long) start);
    }
    return table + offset;
  }

  long int64(int table, int slot, String what) throws MalformedZtocException {
    int at = field(table, slot, 8, what);
    return at == ABSENT ? 0 : int64(at);
  }

  int int32(int table, int slot, String what) throws MalformedZtocException {
    int at = field(table, slot, 4, what);
    return at == ABSENT ? 0 : int32(at);
  }

  int int8(int table, int slot, int absent, String what) throws MalformedZtocException {
    int at = field(table, slot, 1, what);
    return at == ABSENT ? absent : bytes[at];
  }

  /** The table in a field. */
  int table(int table, int slot, String what) throws MalformedZtocException {
    int at = field(table, slot, 4, what);
    if (at == ABSENT) {
      throw new MalformedZtocException(what, table - (long) start);
    }
    return table(at, what);
  }

  /** The table in a vector of references that {@link #vector} has checked. */
  int tableIn(int vector, int index, String what) throws MalformedZtocException {
    return table(vector + 4 + 4 * index, what);
  }

  /** The string in a vector of references that {@link #vector} has checked. */
  int stringIn(int vector, int index, String what) throws MalformedZtocException {
    return vectorAt(vector + 4 + 4 * index, 1, what);
  }

  /** A field that is a vector (or string); {@link #ABSENT} if there is none. */
  int vector(int table, int slot, int elementSize, String what) throws MalformedZtocException {
    int at = field(table, slot, 4, what);
    return at == ABSENT ? ABSENT : vectorAt(at, elementSize, what);
  }

  private int vectorAt(int at, int elementSize, String what) throws MalformedZtocException {
    int vector = reference(at, what);
    need(vector + 4L, (int32(vector) & 0xffffffffL) * elementSize, what);
    return vector;
  }

  /** Elements of a checked vector or bytes of a checked string. */
  int count(int vector) {
    return vector == ABSENT ? 0 : int32(vector);
  }

  private int uint16(int at) {
    return (short) SHORT.get(bytes, at) & 0xffff;
  }

  private int int32(int at) {
    return (int) INT.get(bytes, at);
  }

  long int64(int at) {
    return (long) LONG.get(bytes, at);
  }
}
