package dev.socifleet.ztoc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.flatbuffers.FlatBufferBuilder;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The flatbuffers project's own builder, given the same objects, says what their bytes are. */
class FlatWriterTest {
  private static final int BUFFERS = 3000;
  private static final int MOST_OBJECTS = 40;

  @Test
  void bytesAreThoseOfTheFlatbuffersProject() {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    for (int i = 0; i < BUFFERS; i++) {
      Pair pair = new Pair(random, 1 + random.nextInt(300));
      int objects = 1 + random.nextInt(MOST_OBJECTS);
      for (int object = 0; object < objects; object++) {
        pair.add();
      }
      assertThat(pair.ours()).as("buffer %d of seed %d", i, seed).isEqualTo(pair.theirs());
    }
  }

  /** Both writers, and the objects that both have. */
  private static final class Pair {
    private final Random random;
    private final FlatWriter ours;
    private final FlatBufferBuilder theirs;
    private final List<Integer> places = new ArrayList<>();

    Pair(Random random, int expected) {
      this.random = random;
      ours = new FlatWriter(expected);
      theirs = new FlatBufferBuilder(expected);
      string();
    }

    void add() {
      switch (random.nextInt(4)) {
        case 0 -> string();
        case 1 -> bytes();
        case 2 -> references();
        default -> table();
      }
    }

    private byte[] random() {
      byte[] bytes = new byte[random.nextInt(random.nextInt(20) == 0 ? 2000 : 20)];
      random.nextBytes(bytes);
      return bytes;
    }

    private void both(int our, int their) {
      assertThat(our).isEqualTo(their);
      places.add(our);
    }

    private int somePlace() {
      return places.get(random.nextInt(places.size()));
    }

    private void string() {
      byte[] text = random();
      int from = random.nextInt(text.length + 1);
      int length = text.length - from;
      both(
          ours.string(ByteBuffer.wrap(text), from, length),
          theirs.createString(ByteBuffer.wrap(text, from, length)));
    }

    private void bytes() {
      byte[] bytes = random();
      int our = ours.vector(bytes.length, to -> to.put(bytes));
      theirs.createUnintializedVector(1, bytes.length, 1).put(bytes);
      both(our, theirs.endVector());
    }

    private void references() {
      int[] some = random.ints(random.nextInt(5), 0, places.size()).map(places::get).toArray();
      int our = ours.vector(some);
      theirs.startVector(4, some.length, 4);
      for (int i = some.length - 1; i >= 0; i--) {
        theirs.addOffset(some[i]);
      }
      both(our, theirs.endVector());
    }

    /** Few kinds of fields, so that some tables can share a vtable. */
    private void table() {
      int slots = random.nextInt(5);
      ours.startTable(slots);
      theirs.startTable(slots);
      for (int slot = 0; slot < slots; slot++) {
        long number = random.nextBoolean() ? 0 : random.nextLong();
        switch (random.nextInt(5)) {
          case 0 -> {
            int place = somePlace();
            ours.reference(slot, place);
            theirs.addOffset(slot, place, 0);
          }
          case 1 -> {
            ours.int64(slot, number);
            theirs.addLong(slot, number, 0);
          }
          case 2 -> {
            ours.int32(slot, (int) number);
            theirs.addInt(slot, (int) number, 0);
          }
          case 3 -> {
            ours.int8(slot, (byte) number, 1);
            theirs.addByte(slot, (byte) number, 1);
          }
          default -> {} // absent
        }
      }
      both(ours.endTable(), theirs.endTable());
    }

    byte[] ours() {
      return ours.finish(places.getLast());
    }

    byte[] theirs() {
      theirs.finish(places.getLast());
      return theirs.sizedByteArray();
    }
  }
}
