package dev.socifleet.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a session does with requests, without a mount. */
@Timeout(value = 600, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SessionTest {
  private static final ByteBuffer NOTHING = FakeKernel.body(0);

  private FakeKernel kernel;
  private final MemoryFileSystem tree = new MemoryFileSystem();
  private @Nullable Session session;

  @BeforeEach
  void connect() throws Throwable {
    kernel = new FakeKernel();
  }

  @AfterEach
  void disconnect() throws Exception {
    kernel.close();
    if (session != null) {
      assertThat(session.join(Duration.ofMinutes(2))).isTrue();
    }
  }

  private void serve(FileSystem files, int threads) {
    Session started =
        new Session(
            kernel.device, files, new FuseMount.Options("test", "t", threads, 64 << 10, 0, 1));
    started.start();
    session = started;
  }

  private FuseMount.Statistics statistics() {
    return Objects.requireNonNull(session).statistics();
  }

  @Test
  void requestsThatWriteAreRefused() {
    serve(tree, 1);
    for (int opcode : new int[] {4, 6, 8, 9, 10, 11, 12, 13, 16, 21, 24, 35, 43, 45, 51}) {
      assertThat(kernel.ask(opcode, 1, FakeKernel.body(64)).errno())
          .as("opcode %d", opcode)
          .isEqualTo(Errno.ROFS);
    }
  }

  @Test
  void whatTheKernelCanDoWithoutIsNotThere() {
    serve(tree, 1);
    // OPEN, FSYNC, FLUSH, OPENDIR, FSYNCDIR, ACCESS, BMAP, POLL, LSEEK, COPY_FILE_RANGE, SYNCFS,
    // STATX, and what doesn't exist yet.
    for (int opcode :
        new int[] {14, 20, 25, 27, 30, 34, 37, 40, 46, 47, 50, 52, 53, 60, 4096, -1}) {
      assertThat(kernel.ask(opcode, 1, FakeKernel.body(64)).errno())
          .as("opcode %d", opcode)
          .isEqualTo(Errno.NOSYS);
    }
    assertThat(kernel.ask(Abi.IOCTL, 1, FakeKernel.body(64)).errno()).isEqualTo(ErrnoText.ENOTTY);
    assertThat(kernel.ask(Abi.DESTROY, 1, NOTHING).errno()).isZero();
  }

  @Test
  void whatWantsNoAnswerGetsNone() {
    serve(tree, 1);
    kernel.send(Abi.FORGET, 1, FakeKernel.body(8));
    kernel.send(Abi.BATCH_FORGET, 0, FakeKernel.body(8));
    kernel.send(Abi.NOTIFY_REPLY, 1, FakeKernel.body(40));
    kernel.interrupt(4711);
    assertThat(kernel.ask(Abi.GETATTR, 1, FakeKernel.body(16)).errno()).isZero();
  }

  @Test
  void malformedRequestsAreRefusedAndCounted() {
    serve(tree, 1);
    ByteBuffer unending = ByteBuffer.wrap("abc".getBytes(StandardCharsets.UTF_8));
    assertThat(kernel.ask(Abi.LOOKUP, 1, unending).errno()).isEqualTo(Errno.INVAL);
    assertThat(kernel.ask(Abi.LOOKUP, 1, NOTHING).errno()).isEqualTo(Errno.INVAL);
    assertThat(kernel.ask(Abi.LOOKUP, 1, FakeKernel.name("")).errno()).isEqualTo(Errno.INVAL);
    assertThat(kernel.ask(Abi.GETXATTR, 1, FakeKernel.body(7)).errno()).isEqualTo(Errno.INVAL);
    assertThat(kernel.ask(Abi.GETXATTR, 1, FakeKernel.body(8)).errno()).isEqualTo(Errno.INVAL);
    assertThat(kernel.ask(Abi.LISTXATTR, 1, NOTHING).errno()).isEqualTo(Errno.INVAL);
    assertThat(kernel.ask(Abi.READ, 1, FakeKernel.body(16)).errno()).isEqualTo(Errno.INVAL);
    assertThat(kernel.ask(Abi.READ, 1, FakeKernel.range(0, -1)).errno()).isEqualTo(Errno.INVAL);
    assertThat(kernel.ask(Abi.READ, 1, FakeKernel.range(0, 64 << 20)).errno())
        .isEqualTo(Errno.INVAL);
    assertThat(kernel.ask(Abi.READ, 1, FakeKernel.range(-1, 8)).errno()).isEqualTo(Errno.INVAL);
    assertThat(kernel.ask(Abi.READDIRPLUS, 1, NOTHING).errno()).isEqualTo(Errno.INVAL);
    kernel.send(Abi.INTERRUPT, 1, NOTHING);
    kernel.sendRaw(new byte[10]);
    kernel.sendRaw(new byte[Abi.IN_HEADER]);
    kernel.passOthers();
    assertThat(statistics().malformed()).isEqualTo(14);
    assertThat(statistics().failures()).isZero();
  }

  @Test
  void anyBytesAreSurvived() {
    serve(tree, 1);
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = new byte[1 + random.nextInt(100)];
      random.nextBytes(bytes);
      if (bytes.length >= Abi.IN_HEADER && random.nextInt(10) > 0) {
        ByteBuffer header = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        header.putInt(0, bytes.length).putInt(4, random.nextInt(54));
        header.putLong(8, -1L - i).putLong(16, random.nextInt(3));
      }
      kernel.sendRaw(bytes);
      kernel.passOthers();
    }
  }

  @Test
  void aFileSystemThatThrowsAnswersEio() {
    serve(
        new MemoryFileSystem() {
          @Override
          public void attributes(long node, Reply reply) {
            if (node == 2) {
              throw new IllegalStateException("thrown by the test");
            } else if (node == 3) {
              throw new StackOverflowError("thrown by the test");
            } else if (node == 1) {
              super.attributes(node, reply);
            }
          }
        },
        1);
    assertThat(kernel.ask(Abi.GETATTR, 2, FakeKernel.body(16)).errno()).isEqualTo(Errno.IO);
    assertThat(kernel.ask(Abi.GETATTR, 3, FakeKernel.body(16)).errno()).isEqualTo(Errno.IO);
    assertThat(kernel.ask(Abi.GETATTR, 4, FakeKernel.body(16)).errno()).isEqualTo(Errno.IO);
    assertThat(kernel.ask(Abi.GETATTR, 1, FakeKernel.body(16)).errno()).isZero();
    assertThat(statistics().failures()).isEqualTo(3);
    assertThat(statistics().errors()).isEqualTo(3);
  }

  @Test
  void aReplyIsUsedOnce() {
    AtomicInteger calls = new AtomicInteger();
    serve(
        new MemoryFileSystem() {
          @Override
          public void attributes(long node, Reply reply) {
            super.attributes(node, reply);
            if (calls.incrementAndGet() == 1) {
              reply.sendError(Errno.IO);
            }
          }
        },
        1);
    assertThat(kernel.ask(Abi.GETATTR, 1, FakeKernel.body(16)).errno()).isZero();
    kernel.passOthers();
    assertThat(statistics().failures()).isEqualTo(1);
  }

  @Test
  void aCallThatThrowsAfterItDeferredIsAnsweredOnce() {
    BlockingQueue<Reply> later = new LinkedBlockingQueue<>();
    serve(
        new MemoryFileSystem() {
          @Override
          public void read(long node, long offset, int size, Reply reply) {
            Reply deferred = reply.defer(() -> {});
            deferred.payload().put((byte) 1);
            later.add(deferred);
            throw new IllegalStateException("thrown by the test");
          }
        },
        1);
    for (int i = 0; i < 3; i++) {
      assertThat(kernel.ask(Abi.READ, 1, FakeKernel.range(0, 100)).errno()).isEqualTo(Errno.IO);
      Reply reply = later.remove();
      reply.sendPayload();
      reply.sendPayload();
    }
    assertThat(kernel.ask(Abi.GETATTR, 1, FakeKernel.body(16)).errno()).isZero();
    assertThat(statistics().deferred()).isZero();
    assertThat(statistics().exhausted()).isZero();
  }

  @Test
  void anErrorThatTheKernelWouldNotTakeIsEio() {
    serve(
        new MemoryFileSystem() {
          @Override
          public void statistics(Reply reply) {
            reply.sendError(-5);
          }

          @Override
          public void target(long node, Reply reply) {
            reply.sendError(100_000);
          }
        },
        1);
    assertThat(kernel.ask(Abi.STATFS, 1, NOTHING).errno()).isEqualTo(Errno.IO);
    assertThat(kernel.ask(Abi.READLINK, 1, NOTHING).errno()).isEqualTo(Errno.IO);
  }

  @Test
  void anExtendedAttributeIsSizedGivenOrTooLarge() {
    tree.root.xattrs.put("user.a", "value".getBytes(StandardCharsets.UTF_8));
    serve(tree, 1);
    FakeKernel.Answered size = kernel.ask(Abi.GETXATTR, 1, FakeKernel.xattr(0, "user.a"));
    assertThat(size.errno()).isZero();
    assertThat(size.body().capacity()).isEqualTo(8);
    assertThat(size.body().getInt(0)).isEqualTo(5);
    assertThat(kernel.ask(Abi.GETXATTR, 1, FakeKernel.xattr(4, "user.a")).errno())
        .isEqualTo(Errno.RANGE);
    FakeKernel.Answered value = kernel.ask(Abi.GETXATTR, 1, FakeKernel.xattr(5, "user.a"));
    assertThat(value.text()).isEqualTo("value");
    assertThat(kernel.ask(Abi.GETXATTR, 1, FakeKernel.xattr(5, "user.b")).errno())
        .isEqualTo(Errno.NODATA);
    FakeKernel.Answered names = kernel.ask(Abi.LISTXATTR, 1, FakeKernel.body(8).putInt(0, 100));
    assertThat(names.text()).isEqualTo("user.a\0");
    assertThat(kernel.ask(Abi.LISTXATTR, 1, FakeKernel.body(8)).body().getInt(0)).isEqualTo(7);
    assertThat(kernel.ask(Abi.LISTXATTR, 1, FakeKernel.body(8).putInt(0, 6)).errno())
        .isEqualTo(Errno.RANGE);
  }

  @Test
  void aTargetLongerThanAPathIsRefused() {
    MemoryFileSystem.Node link = tree.symlink(tree.root, "long", "x".repeat(5000));
    serve(tree, 1);
    assertThat(kernel.ask(Abi.READLINK, link.number, NOTHING).errno())
        .isEqualTo(ErrnoText.ENAMETOOLONG);
  }

  @Test
  void namesAreComparedAndHashedInPlace() {
    BlockingQueue<Boolean> results = new LinkedBlockingQueue<>();
    serve(
        new MemoryFileSystem() {
          @Override
          public void lookup(long directory, Name name, Reply reply) {
            ByteBuffer table = ByteBuffer.wrap("xxäbcdyy".getBytes(StandardCharsets.UTF_8));
            results.add(name.equals(table, 2, 5));
            results.add(!name.equals(table, 2, 4));
            results.add(!name.equals(table, 1, 5));
            byte[] bytes = "äbcd".getBytes(StandardCharsets.UTF_8);
            results.add(Arrays.equals(name.toBytes(), bytes));
            int withoutOne = Arrays.hashCode(bytes) - power(31, bytes.length);
            results.add(name.hash() == withoutOne);
            results.add(name.at(4) == 'd');
            reply.sendNoEntry(0);
          }
        },
        1);
    kernel.ask(Abi.LOOKUP, 1, FakeKernel.name("äbcd"));
    assertThat(results).hasSize(6).doesNotContain(false);
  }

  private static int power(int base, int exponent) {
    int product = 1;
    for (int i = 0; i < exponent; i++) {
      product *= base;
    }
    return product;
  }

  @Test
  void deferredRepliesAreSentByOthersWhileTheThreadGoesOn() throws Exception {
    BlockingQueue<Reply> waiting = new LinkedBlockingQueue<>();
    serve(
        new MemoryFileSystem() {
          @Override
          public void read(long node, long offset, int size, Reply reply) {
            waiting.add(reply.defer(() -> {}));
          }
        },
        1);
    for (int i = 0; i < 1000; i++) {
      kernel.send(Abi.READ, 1, FakeKernel.range(i, 100));
    }
    assertThat(kernel.ask(Abi.GETATTR, 1, FakeKernel.body(16)).errno()).isZero();
    assertThat(statistics().deferred()).isEqualTo(1000);
    Thread sender =
        Thread.ofVirtual()
            .start(() -> {
              for (Reply reply : waiting) {
                reply.payload().put("later".getBytes(StandardCharsets.UTF_8));
                reply.sendPayload();
              }
            });
    for (int i = 0; i < 1000; i++) {
      assertThat(kernel.receive().text()).isEqualTo("later");
    }
    sender.join();
    assertThat(statistics().deferred()).isZero();
  }

  @Test
  void anInterruptReachesTheDeferredReplyOnce() {
    AtomicInteger interrupts = new AtomicInteger();
    BlockingQueue<Reply> waiting = new LinkedBlockingQueue<>();
    serve(
        new MemoryFileSystem() {
          @Override
          public void read(long node, long offset, int size, Reply reply) {
            waiting.add(
                reply.defer(() -> {
                  interrupts.incrementAndGet();
                  waiting.remove().sendError(Errno.INTR);
                }));
          }
        },
        1);
    long unique = kernel.send(Abi.READ, 1, FakeKernel.range(0, 100));
    kernel.interrupt(unique);
    FakeKernel.Answered answered = kernel.receive();
    assertThat(answered.unique()).isEqualTo(unique);
    assertThat(answered.errno()).isEqualTo(Errno.INTR);
    kernel.interrupt(unique);
    kernel.passOthers();
    assertThat(interrupts).hasValue(1);
    assertThat(statistics().interrupts()).isEqualTo(1);
    assertThat(statistics().deferred()).isZero();
  }

  @Test
  void anInterruptBeforeTheReplyIsDeferredIsNotLost() throws Exception {
    CountDownLatch called = new CountDownLatch(1);
    CountDownLatch interruptIsRead = new CountDownLatch(1);
    BlockingQueue<Reply> waiting = new LinkedBlockingQueue<>();
    AtomicReference<String> order = new AtomicReference<>("");
    serve(
        new MemoryFileSystem() {
          @Override
          public void read(long node, long offset, int size, Reply reply) {
            called.countDown();
            try {
              interruptIsRead.await();
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
            Reply deferred =
                reply.defer(() -> {
                  order.updateAndGet(text -> text + " interrupted");
                  waiting.remove().sendError(Errno.INTR);
                });
            order.updateAndGet(text -> text + " deferred");
            waiting.add(deferred);
          }
        },
        2);
    long unique = kernel.send(Abi.READ, 1, FakeKernel.range(0, 100));
    called.await();
    // The other thread reads it, and answers what follows.
    kernel.interrupt(unique);
    kernel.passOthers();
    interruptIsRead.countDown();
    assertThat(kernel.receive().errno()).isEqualTo(Errno.INTR);
    assertThat(order.get()).isEqualTo(" deferred interrupted");
  }

  @Test
  void withoutMemoryForItsContentADeferredReplyIsAnsweredEagain() throws Exception {
    BlockingQueue<Reply> waiting = new LinkedBlockingQueue<>();
    BlockingQueue<Throwable> thrown = new LinkedBlockingQueue<>();
    serve(
        new MemoryFileSystem() {
          @Override
          public void read(long node, long offset, int size, Reply reply) {
            Reply deferred = reply.defer(() -> {});
            try {
              // On a reading thread it can't wait for memory.
              deferred.payload().put((byte) node);
              waiting.add(deferred);
            } catch (IllegalStateException e) {
              thrown.add(e);
              deferred.sendError(Errno.IO);
            }
          }
        },
        1);
    long first = kernel.send(Abi.READ, 1, FakeKernel.range(0, 100));
    assertThat(kernel.ask(Abi.READ, 2, FakeKernel.range(0, 100)).errno()).isEqualTo(Errno.AGAIN);
    assertThat(thrown.take()).hasMessageContaining("EAGAIN");
    waiting.take().sendPayload();
    assertThat(kernel.receive().unique()).isEqualTo(first);
    kernel.send(Abi.READ, 3, FakeKernel.range(0, 100));
    waiting.take().sendPayload();
    assertThat(kernel.receive().bytes()).containsExactly(3);
    assertThat(statistics().exhausted()).isEqualTo(1);
    assertThat(statistics().failures()).isZero();
  }

  @Test
  void otherThreadsWaitForMemory() throws Exception {
    BlockingQueue<Reply> waiting = new LinkedBlockingQueue<>();
    serve(
        new MemoryFileSystem() {
          @Override
          public void read(long node, long offset, int size, Reply reply) {
            waiting.add(reply.defer(() -> {}));
          }
        },
        1);
    kernel.send(Abi.READ, 1, FakeKernel.range(0, 100));
    kernel.send(Abi.READ, 2, FakeKernel.range(0, 100));
    Reply first = waiting.take();
    Reply second = waiting.take();
    first.payload().put((byte) 1);
    Thread other =
        Thread.ofVirtual()
            .start(() -> {
              second.payload().put((byte) 2);
              second.sendPayload();
            });
    first.sendPayload();
    assertThat(kernel.receive().bytes()).containsExactly(1);
    assertThat(kernel.receive().bytes()).containsExactly(2);
    other.join();
  }

  @Test
  void aReplyAfterTheEndIsInVain() throws Exception {
    BlockingQueue<Reply> waiting = new LinkedBlockingQueue<>();
    CountDownLatch interrupted = new CountDownLatch(1);
    serve(
        new MemoryFileSystem() {
          @Override
          public void read(long node, long offset, int size, Reply reply) {
            waiting.add(reply.defer(interrupted::countDown));
          }
        },
        2);
    kernel.send(Abi.READ, 1, FakeKernel.range(0, 100));
    Reply reply = waiting.take();
    kernel.close();
    assertThat(interrupted.await(120, TimeUnit.SECONDS)).isTrue();
    reply.payload().put((byte) 1);
    reply.sendPayload();
    assertThat(statistics().deferred()).isZero();
  }

  @Test
  void aNameThatNoDirectoryCanHaveIsRefused() {
    serve(
        new MemoryFileSystem() {
          @Override
          public void children(long directory, long offset, Reply reply) {
            assertThatThrownBy(() -> reply.addChild(ByteBuffer.allocate(2000), 0, 1025, 1, 0, 0))
                .isInstanceOf(IllegalArgumentException.class);
            reply.sendChildren();
          }
        },
        1);
    FakeKernel.Answered answered = kernel.ask(Abi.READDIR, 1, FakeKernel.range(0, 4096));
    assertThat(answered.errno()).isZero();
    assertThat(answered.body().capacity()).isZero();
    assertThat(statistics().failures()).isZero();
  }

  @Test
  void entriesThatDoNotFitComeWithTheNextRequest() {
    for (int i = 0; i < 100; i++) {
      tree.file(tree.root, "file-" + i, "");
    }
    serve(tree, 1);
    for (int opcode : new int[] {Abi.READDIR, Abi.READDIRPLUS}) {
      int entry = opcode == Abi.READDIRPLUS ? Abi.ENTRY_OUT : 0;
      long offset = 0;
      StringBuilder names = new StringBuilder();
      ByteBuffer body = kernel.ask(opcode, 1, FakeKernel.range(offset, 1024)).body();
      while (body.capacity() > 0) {
        assertThat(body.capacity()).isLessThanOrEqualTo(1024);
        for (int at = 0; at < body.capacity(); ) {
          int dirent = at + entry;
          int length = body.getInt(dirent + 16);
          byte[] name = new byte[length];
          body.get(dirent + Abi.DIRENT, name);
          names.append(new String(name, StandardCharsets.UTF_8)).append(' ');
          offset = body.getLong(dirent + 8);
          at = dirent + Structures.align(Abi.DIRENT + length);
        }
        body = kernel.ask(opcode, 1, FakeKernel.range(offset, 1024)).body();
      }
      StringBuilder expected = new StringBuilder(". .. ");
      for (int i = 0; i < 100; i++) {
        expected.append("file-").append(i).append(' ');
      }
      assertThat(names.toString()).isEqualTo(expected.toString());
    }
  }
}
