package dev.socifleet.ztoc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.ztoc.inflate.Event;
import dev.socifleet.ztoc.inflate.Inflate;
import dev.socifleet.ztoc.inflate.InflateException;
import dev.socifleet.ztoc.streams.Mutations;
import dev.socifleet.ztoc.streams.Stream;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.junit.jupiter.api.Test;

/** What we accept and refuse is what zlib, in the JDK's Inflater, accepts and refuses. */
class DecisionsTest {
  private static final int MUTANTS = 20_000;
  private static final int ROOM = 1 << 17;
  private static final int HEADER = 10;

  private final Inflate inflate = new Inflate();
  private final Inflater inflater = new Inflater(true);
  private final byte[] theirs = new byte[ROOM];
  private final byte[] ours = new byte[ROOM + Inflate.OUTPUT_SLACK];

  @Test
  void damagedBlocksAreAcceptedAndRefusedAsByZlib() {
    List<Stream> streams =
        CheckpointTable.streams().stream()
            .filter(s -> s.bytes().length > HEADER && s.bytes().length < 6000)
            .toList();
    long seed = new Random().nextLong();
    int accepted = 0;
    for (int i = 0; i < MUTANTS; i++) {
      Random random = new Random(seed + i);
      byte[] whole = streams.get(random.nextInt(streams.size())).bytes();
      byte[] deflated = Mutations.of(Arrays.copyOfRange(whole, HEADER, whole.length), random);
      int wanted = zlib(deflated);
      int got = ours(deflated);

      if (got == ROOM || wanted == ROOM) {
        // Whether an error just behind it is seen already depends on the implementation.
        continue;
      }
      assertThat(got).as("output of mutant %s, -1 if refused", seed + i).isEqualTo(wanted);
      if (wanted > 0) {
        accepted++;
        assertThat(Arrays.equals(ours, 0, got, theirs, 0, wanted))
            .as("output of mutant %s", seed + i)
            .isTrue();
      }
    }
    assertThat(accepted).as("mutants that zlib accepts, seed %s", seed).isGreaterThan(100);
  }

  /** Bytes of output; -1 if it is refused; {@link #ROOM} if it is more than that. */
  private int zlib(byte[] deflated) {
    inflater.reset();
    inflater.setInput(deflated);
    try {
      int n = 0;
      while (!inflater.finished() && n < ROOM) {
        int more = inflater.inflate(theirs, n, ROOM - n);
        if (more == 0 && !inflater.finished()) {
          return -1;
        }
        n += more;
      }
      return n;
    } catch (DataFormatException e) {
      return -1;
    }
  }

  private int ours(byte[] deflated) {
    inflate.reset(0);
    inflate.output(ours, 0, 0);
    inflate.input(deflated, 0, deflated.length, true);
    inflate.start();
    try {
      for (; ; ) {
        Event event = inflate.run(ROOM);
        if (event == Event.END || event == Event.OUTPUT) {
          return Math.min(ROOM, inflate.outPosition());
        }
        assertThat(event).as("all input is there").isEqualTo(Event.BOUNDARY);
      }
    } catch (InflateException e) {
      return -1;
    }
  }
}
