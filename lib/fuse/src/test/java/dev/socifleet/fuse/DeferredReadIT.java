package dev.socifleet.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Reads that wait for something, and their readers. */
@Timeout(value = 600, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DeferredReadIT {
  private static final String READ = "dd bs=4K count=1 iflag=direct status=none of=/dev/null if=";

  /** A read that waits until the test goes on with it. */
  private record Waiting(long node, long offset, int size, Reply reply) {}

  /** Reads of files of mode 0444 wait; those interrupted are answered at once. */
  private static final class Slow extends MemoryFileSystem {
    private final BlockingQueue<Waiting> waiting = new LinkedBlockingQueue<>();
    private final BlockingQueue<Long> interrupted = new LinkedBlockingQueue<>();

    @Override
    public void read(long node, long offset, int size, Reply reply) {
      if (node(node).mode != (FILE | 0444)) {
        super.read(node, offset, size, reply);
        return;
      }
      Reply[] deferred = new Reply[1];
      deferred[0] =
          reply.defer(() -> {
            interrupted.add(node);
            deferred[0].sendError(Errno.INTR);
          });
      waiting.add(new Waiting(node, offset, size, deferred[0]));
    }

    void goOn(Waiting read) {
      super.read(read.node(), read.offset(), read.size(), read.reply());
    }
  }

  @RegisterExtension private final MountedDirectory place = new MountedDirectory();
  private final Slow files = new Slow();

  private static MemoryFileSystem.Content content() {
    return new MemoryFileSystem.Scattered(4096);
  }

  @Test
  void threeHundredWaitingReadersStopNobodyElse() throws Exception {
    MemoryFileSystem.Node slow = files.directory(files.root, "slow");
    for (int i = 0; i < 300; i++) {
      files.file(slow, "f" + i, 0444, content());
    }
    files.file(files.root, "fast", 0644, content());
    FuseMount mount = place.mount("m", files);
    // Half of them straight, half through the page cache.
    Process readers =
        place.start(
            "for i in $(seq 0 149); do dd if=m/slow/f$i iflag=direct bs=4K status=none & done;"
                + "for i in $(seq 150 299); do cat m/slow/f$i & done; wait");
    place.until(() -> mount.statistics().deferred() >= 300);
    assertThat(place.run("ls m/slow | wc -l; stat -c %s m/fast; cat m/fast | wc -c").lines())
        .isEqualTo("300\n4096\n4096");
    assertThat(readers.isAlive()).isTrue();

    Thread answering =
        Thread.ofVirtual()
            .start(() -> {
              while (!Thread.currentThread().isInterrupted()) {
                try {
                  files.goOn(files.waiting.take());
                } catch (InterruptedException e) {
                  return;
                }
              }
            });
    assertThat(place.end(readers)).isZero();
    answering.interrupt();
    answering.join();
    assertThat(place.output(readers)).hasSize(300 * 4096);
    assertThat(mount.statistics().deferred()).isZero();
    assertThat(mount.statistics().exhausted()).isZero();
  }

  @Test
  void contentSentByOthersIsRight() throws Exception {
    files.file(files.root, "large", 0444, new MemoryFileSystem.Scattered(20 << 20));
    FuseMount mount = place.mount("m", files);
    Files.write(place.base().resolve("large"), MemoryFileSystem.scattered(0, 20 << 20));
    Process reader = place.start("cmp large m/large");
    while (reader.isAlive()) {
      Waiting read = files.waiting.poll(20, TimeUnit.MILLISECONDS);
      if (read != null) {
        Thread.ofVirtual().start(() -> files.goOn(read));
      }
    }
    assertThat(place.end(reader)).isZero();
    place.until(() -> mount.statistics().deferred() == 0);
  }

  @Test
  void aReaderThatIsInterruptedEndsAndItsReplyIsFreed() throws Exception {
    MemoryFileSystem.Node file = files.file(files.root, "slow", 0444, content());
    FuseMount mount = place.mount("m", files);
    for (String signal : new String[] {"INT", "TERM", "KILL"}) {
      // What runs in a shell's background has SIGINT ignored, and what it starts inherits that.
      Process reader = place.start("exec env --default-signal=INT " + READ + "m/slow");
      place.until(() -> mount.statistics().deferred() == 1);
      place.run("kill -" + signal + " " + reader.pid()).lines();
      assertThat(place.end(reader)).as("ended by SIG%s", signal).isGreaterThan(128);
      assertThat(files.interrupted.poll(120, TimeUnit.SECONDS)).isEqualTo(file.number);
      place.until(() -> mount.statistics().deferred() == 0);
    }
    assertThat(mount.statistics().interrupts()).isEqualTo(3);
    assertThat(files.interrupted).isEmpty();
  }

  @Test
  void aReaderOfThePageCacheThatIsKilledEnds() throws Exception {
    files.file(files.root, "slow", 0444, content());
    FuseMount mount = place.mount("m", files);
    Process reader = place.start("exec cat m/slow");
    place.until(() -> mount.statistics().deferred() == 1);
    place.run("kill -KILL " + reader.pid()).lines();
    assertThat(place.end(reader)).isGreaterThan(128);
    // The kernel itself reads ahead and goes on with it; the content is there for the next one.
    files.goOn(files.waiting.take());
    assertThat(mount.statistics().deferred()).isZero();
    assertThat(place.run("cat m/slow | wc -c").lines()).isEqualTo("4096");
  }

  @Test
  void readersGetAnErrorWhenTheMountIsClosed() throws Exception {
    files.file(files.root, "slow", 0444, content());
    FuseMount mount = place.mount("m", files);
    Process reader = place.start("exec " + READ + "m/slow");
    place.until(() -> mount.statistics().deferred() == 1);
    mount.close();
    assertThat(place.end(reader)).isEqualTo(1);
    assertThat(files.interrupted).hasSize(1);
    assertThat(mount.statistics().deferred()).isZero();
  }
}
