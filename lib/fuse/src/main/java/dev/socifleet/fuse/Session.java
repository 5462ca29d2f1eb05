package dev.socifleet.fuse;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection to the kernel after its handshake: the threads that read requests, and what they
 * share. Thread-safe.
 *
 * <p>All threads read the same descriptor; the kernel wakes one for a request. That thread calls
 * the file system and answers, or the file system defers the reply and any other thread answers
 * later. Nothing is allocated for a request that is answered at once.
 */
final class Session {
  private static final Logger log = LoggerFactory.getLogger(Session.class);
  private static final Duration PAYLOAD_PATIENCE = Duration.ofSeconds(10);
  private static final int SMALL_MESSAGES = 64;

  private final Device device;
  private final FileSystem files;
  private final int maxPayload;
  private final Counters counters = new Counters();
  private final Pending pending = new Pending();
  private final PayloadPool payloads;
  private final BlockingQueue<Message> smalls = new ArrayBlockingQueue<>(SMALL_MESSAGES);
  private final RareLog warnings = new RareLog(log);
  private final List<Thread> threads;
  private final AtomicInteger running = new AtomicInteger();
  private volatile boolean ending;

  Session(Device device, FileSystem files, FuseMount.Options options) {
    this.device = device;
    this.files = files;
    this.maxPayload = options.maxPayload();
    this.payloads =
        new PayloadPool(options.maxPayload(), options.deferredPayloads(), PAYLOAD_PATIENCE);
    this.threads =
        IntStream.range(0, options.threads())
            .mapToObj(i ->
                Thread.ofPlatform()
                    .daemon()
                    .name(options.subtype() + "-fuse-" + i)
                    .unstarted(new RequestLoop(this)))
            .toList();
  }

  void start() {
    running.set(threads.size());
    threads.forEach(Thread::start);
  }

  /** From now on requests are refused, and a thread that has read one ends. */
  void end() {
    ending = true;
  }

  boolean isEnding() {
    return ending;
  }

  /** The last thread to leave tells those who work on deferred replies that nobody waits. */
  void left() {
    if (running.decrementAndGet() == 0) {
      pending.interruptAll();
    }
  }

  /** Whether threads read requests. */
  boolean isRunning() {
    return running.get() > 0;
  }

  /** Waits for the threads' end. Returns whether they have ended. */
  boolean join(Duration patience) throws InterruptedException {
    long deadline = System.nanoTime() + patience.toNanos();
    for (Thread thread : threads) {
      Duration left = Duration.ofNanos(deadline - System.nanoTime());
      if (thread != Thread.currentThread() && !thread.join(left)) {
        return false;
      }
    }
    return true;
  }

  /** Whether the current thread is one that reads requests, and so must not wait. */
  boolean isReading() {
    return threads.contains(Thread.currentThread());
  }

  List<Thread> threads() {
    return threads;
  }

  Device device() {
    return device;
  }

  FileSystem files() {
    return files;
  }

  int maxPayload() {
    return maxPayload;
  }

  Counters counters() {
    return counters;
  }

  Pending pending() {
    return pending;
  }

  PayloadPool payloads() {
    return payloads;
  }

  Message takeSmall() {
    Message message = smalls.poll();
    return message != null ? message : Message.small();
  }

  void giveSmall(Message message) {
    // With enough of them there, GC takes it.
    var _ = smalls.offer(message);
  }

  FuseMount.Statistics statistics() {
    return counters.snapshot(pending.count());
  }

  void failed(RequestKind kind, String what, @Nullable Throwable cause) {
    counters.failures.increment();
    warnings.warn("a request (" + kind + ") " + what, cause);
  }

  void malformed(String what) {
    counters.malformed.increment();
    warnings.warn("the kernel sent " + what, null);
  }

  /** ENOENT: the caller doesn't wait any more. ENODEV: the mount is gone. */
  void notSent(RequestKind kind, int errno) {
    if (errno != Errno.NOENT && errno != ErrnoText.ENODEV && errno != ErrnoText.ECONNABORTED) {
      counters.refused.increment();
      warnings.warn("the kernel refuses an answer (" + kind + "): " + ErrnoText.of(errno), null);
    }
  }

  void stopped(int errno) {
    log.error("cannot read requests from {}: {}; it serves less", Device.PATH, ErrnoText.of(errno));
  }
}
