package dev.socifleet.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Requests of the real kernel allocate nothing either. */
@Timeout(value = 600, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MountAllocationIT {
  private static final long BOUND = 16_384;
  private static final int MOST_ROUNDS = 30;
  @RegisterExtension private final MountedDirectory place = new MountedDirectory();

  @Test
  void aHundredThousandRequestsAllocateNothing() throws Exception {
    MemoryFileSystem files = new MemoryFileSystem();
    files.timeout = 0;
    files.file(files.root, "f", 0644, new MemoryFileSystem.Scattered(64 << 20));
    FuseMount mount =
        place.mount("m", files, FuseMount.Options.of("test", "in-memory").withThreads(1));
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long id = mount.session().threads().getFirst().threadId();
    // Each name is a LOOKUP and a GETATTR or two, each block a READ.
    String work =
        "dd if=m/f of=/dev/null bs=4K iflag=direct status=none;"
            + "for i in 1 2 3; do stat -c '' $(yes m/f | head -20000) > /dev/null; done";
    long allocated = Long.MAX_VALUE;
    // Until all is compiled, which takes its time on a busy machine.
    for (int round = 0; round < MOST_ROUNDS && allocated > BOUND; round++) {
      long requestsBefore = requests(mount);
      long before = threads.getThreadAllocatedBytes(id);
      place.run(work).lines();
      allocated = threads.getThreadAllocatedBytes(id) - before;
      long requests = requests(mount) - requestsBefore;
      System.out.println(requests + " requests allocated " + allocated + " bytes");
      assertThat(requests).isGreaterThan(75_000);
    }
    assertThat(allocated).isBetween(0L, BOUND);
  }

  private static long requests(FuseMount mount) {
    return mount.statistics().requests().values().stream().mapToLong(Long::longValue).sum();
  }
}
