package dev.socifleet.ztoc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.socifleet.ztoc.streams.Commands;
import dev.socifleet.ztoc.streams.Contents;
import dev.socifleet.ztoc.streams.DeflaterStreams;
import dev.socifleet.ztoc.streams.EncoderStreams;
import dev.socifleet.ztoc.streams.Mutations;
import dev.socifleet.ztoc.streams.OddStreams;
import dev.socifleet.ztoc.streams.Stream;
import dev.socifleet.ztoc.streams.ZlibOracle;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Our checkpoints and decisions are those of zlib: asked on the spot, through a small C program, on
 * what the encoders of this machine write now.
 */
class CheckpointsIT {
  private static final int MUTANTS = 8_000;

  @TempDir static Path directory;
  private static ZlibOracle oracle;

  @BeforeAll
  static void startOracle() throws IOException {
    assertThat(Commands.canCompile() || !"true".equals(System.getenv("CI")))
        .as("gcc and zlib1g-dev are installed under CI")
        .isTrue();
    assumeTrue(Commands.canCompile(), "gcc or zlib1g-dev isn't installed");
    oracle = ZlibOracle.start(Commands.compiled("zlib_oracle", directory));
  }

  @AfterAll
  static void stopOracle() {
    if (oracle != null) {
      oracle.close();
    }
  }

  @Test
  void checkpointsOfTheEncodersHereAreZlibs() throws IOException {
    Path encoder = Commands.compiled("zlib_encoder", directory);
    compare(EncoderStreams.all(encoder, directory, 100_000));
  }

  @Test
  void checkpointsOfTheJdksDeflaterAreZlibs() throws IOException {
    compare(DeflaterStreams.all(300_000));
  }

  @Test
  void checkpointsOfOddBlocksAreZlibs() throws IOException {
    compare(OddStreams.all());
  }

  @Test
  void checkpointsOfStreamsLargerThanAnySpanAreZlibs() throws IOException {
    for (int level : new int[] {0, 1, 6}) {
      byte[] content = Contents.mixed(level, 14_000_000);
      byte[] stream = DeflaterStreams.gzip(content, level, 0, 0, 65536);
      compare(List.of(new Stream("level " + level, stream)));
    }
  }

  private static void compare(List<Stream> streams) throws IOException {
    long seed = new Random().nextLong();
    for (Stream stream : streams) {
      for (long spanSize : CheckpointTable.SPAN_SIZES) {
        ZlibOracle.Answer zlib = oracle.ask(stream.bytes(), spanSize);
        StreamPass ours = StreamPass.over(stream.bytes(), spanSize, new Random(seed));

        assertThat(zlib.sound()).as("zlib accepts %s", stream).isTrue();
        assertThat(ours.failure()).as("%s, pieces of seed %s", stream, seed).isNull();
        assertThat(ours.crc()).as("output of %s", stream).isEqualTo(zlib.crc());
        assertThat(Arrays.equals(ours.checkpoints(), zlib.checkpoints()))
            .as("checkpoints of %s for spans of %s, pieces of seed %s", stream, spanSize, seed)
            .isTrue();
      }
    }
  }

  /** Headers, members and trailers included, which the JDK's Inflater doesn't know. */
  @Test
  void mutatedStreamsAreAcceptedAndRefusedAsByZlib() throws IOException {
    List<Stream> streams =
        CheckpointTable.streams().stream().filter(s -> s.bytes().length < 20_000).toList();
    long seed = new Random().nextLong();
    int accepted = 0;
    for (int i = 0; i < MUTANTS; i++) {
      Random random = new Random(seed + i);
      Stream stream = streams.get(random.nextInt(streams.size()));
      byte[] mutant = Mutations.of(stream.bytes(), random);
      ZlibOracle.Answer zlib = oracle.ask(mutant, 1);
      StreamPass ours = StreamPass.over(mutant, 1, random);

      assertThat(ours.sound())
          .as("mutant %s of %s (zlib: %s, ours: %s)", seed + i, stream, zlib.code(), ours.failure())
          .isEqualTo(zlib.sound());
      if (zlib.sound()) {
        accepted++;
        assertThat(ours.outputBytes()).isEqualTo(zlib.outputBytes());
        assertThat(ours.crc()).isEqualTo(zlib.crc());
        assertThat(Arrays.equals(ours.checkpoints(), zlib.checkpoints()))
            .as("checkpoints of mutant %s of %s", seed + i, stream)
            .isTrue();
      }
    }
    assertThat(accepted).as("mutants that zlib accepts, seed %s", seed).isGreaterThan(100);
  }
}
