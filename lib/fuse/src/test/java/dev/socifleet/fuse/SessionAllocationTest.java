package dev.socifleet.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Serving a request that is answered at once allocates nothing. */
@Timeout(value = 600, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SessionAllocationTest {
  private static final int REQUESTS = 100_000;
  private static final int MOST_ROUNDS = 30;
  // The smallest object has 16 bytes: one a request would be 1,600,000.
  private static final long BOUND = 16_384;

  /** Answers as the table of a layer would: nothing but numbers and buffers. */
  private static final class Table implements FileSystem {
    private final ByteBuffer names = ByteBuffer.allocateDirect(64).put(new byte[] {'a', 'b', 'c'});

    @Override
    public void lookup(long directory, Name name, Reply reply) {
      if (name.hash() != 0 && name.equals(names, 0, 3)) {
        fill(reply.attributes());
        reply.sendEntry(1, 1);
      } else {
        reply.sendNoEntry(1);
      }
    }

    private static void fill(Attributes attributes) {
      attributes.clear();
      attributes.node = 2;
      attributes.ino = 2;
      attributes.mode = 0100644;
    }

    @Override
    public void attributes(long node, Reply reply) {
      fill(reply.attributes());
      reply.sendAttributes(1);
    }

    @Override
    public void target(long node, Reply reply) {
      reply.payload().put(0, names, 0, 3).position(3);
      reply.sendPayload();
    }

    @Override
    public void read(long node, long offset, int size, Reply reply) {
      ByteBuffer payload = reply.payload();
      while (payload.remaining() >= 8) {
        payload.putLong(offset);
      }
      reply.sendPayload();
    }

    @Override
    public void children(long directory, long offset, Reply reply) {
      fill(reply.attributes());
      while (reply.addChild(names, 0, 3, offset + 1, 1, 1)) {
        // Until it is full.
      }
      reply.sendChildren();
    }

    @Override
    public void xattr(long node, Name name, Reply reply) {
      reply.sendError(Errno.NODATA);
    }

    @Override
    public void xattrNames(long node, Reply reply) {
      reply.sendPayload();
    }

    @Override
    public void statistics(Reply reply) {
      reply.sendStatistics(1, 4096, 1, 255);
    }
  }

  @Test
  void requestsAllocateNothing() throws Throwable {
    try (FakeKernel kernel = new FakeKernel()) {
      Session session =
          new Session(
              kernel.device, new Table(), new FuseMount.Options("test", "t", 1, 64 << 10, 0, 1));
      session.start();
      long id = session.threads().getFirst().threadId();
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      long allocated = Long.MAX_VALUE;
      // Until all is compiled, which takes its time on a busy machine.
      for (int round = 0; round < MOST_ROUNDS && allocated > BOUND; round++) {
        long before = threads.getThreadAllocatedBytes(id);
        for (int i = 0; i < REQUESTS; i += 10) {
          askAll(kernel);
        }
        allocated = threads.getThreadAllocatedBytes(id) - before;
        System.out.println(REQUESTS + " requests allocated " + allocated + " bytes");
      }
      assertThat(allocated).isBetween(0L, BOUND);
      assertThat(session.statistics().failures()).isZero();
    }
  }

  private static void askAll(FakeKernel kernel) {
    kernel.ask(Abi.LOOKUP, 1, FakeKernel.name("abc"));
    kernel.ask(Abi.LOOKUP, 1, FakeKernel.name("abd"));
    kernel.ask(Abi.GETATTR, 2, FakeKernel.body(16));
    kernel.ask(Abi.READ, 2, FakeKernel.range(0, 4096));
    kernel.ask(Abi.READLINK, 2, FakeKernel.body(0));
    kernel.ask(Abi.READDIRPLUS, 1, FakeKernel.range(0, 4096));
    kernel.ask(Abi.GETXATTR, 2, FakeKernel.xattr(0, "user.x"));
    kernel.ask(Abi.LISTXATTR, 2, FakeKernel.body(8));
    kernel.ask(Abi.STATFS, 1, FakeKernel.body(0));
    kernel.ask(Abi.GETATTR, 1, FakeKernel.body(16));
  }
}
