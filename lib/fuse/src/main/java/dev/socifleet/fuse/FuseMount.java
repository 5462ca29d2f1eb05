package dev.socifleet.fuse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file system that is mounted and served by this process. Thread-safe.
 *
 * <p>It is read-only, open to all users, checked by the kernel against each file's permission bits,
 * and made for layers of containers: set-user-ID programs and device nodes work on it. Whatever a
 * file system says of a name, a node or content, the kernel keeps for as long as it was told to.
 */
public final class FuseMount implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(FuseMount.class);
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /**
   * How it is mounted and served.
   *
   * @param subtype the mount's type is {@code fuse.<subtype>}: letters, digits, {@code - _ .}
   * @param source what the mount shows as its source
   * @param threads that read requests, 1 to 64. They must not wait for anything slow: see {@link
   *     Reply#defer}
   * @param maxPayload bytes of the largest read, 64 KiB to 32 MiB, in whole pages; the kernel takes
   *     at most {@code fs.fuse.max_pages_limit} pages
   * @param readAheadKiB what the kernel reads ahead of a sequential reader; 0 is none
   * @param deferredPayloads how many deferred replies may hold a payload at a time, 1 to 4096; of
   *     {@code maxPayload} each, as far as it is filled
   */
  public record Options(
      String subtype,
      String source,
      int threads,
      int maxPayload,
      int readAheadKiB,
      int deferredPayloads) {
    private static final Pattern SUBTYPE = Pattern.compile("[A-Za-z0-9_.-]{1,64}");

    public Options {
      require(SUBTYPE.matcher(subtype).matches(), "subtype", subtype);
      require(!source.isEmpty() && source.indexOf(0) < 0, "source", source);
      require(threads >= 1 && threads <= 64, "threads", threads);
      require(
          maxPayload >= 64 << 10 && maxPayload <= 32 << 20 && maxPayload % Native.PAGE == 0,
          "maxPayload",
          maxPayload);
      require(readAheadKiB >= 0 && readAheadKiB <= 1 << 20, "readAheadKiB", readAheadKiB);
      require(
          deferredPayloads >= 1 && deferredPayloads <= 4096, "deferredPayloads", deferredPayloads);
    }

    /** Two threads, payloads of 1 MiB, 64 of them deferred, 1 MiB of read-ahead. */
    public static Options of(String subtype, String source) {
      return new Options(subtype, source, 2, 1 << 20, 1024, 64);
    }

    public Options withThreads(int count) {
      return new Options(subtype, source, count, maxPayload, readAheadKiB, deferredPayloads);
    }

    private static void require(boolean good, String name, Object value) {
      if (!good) {
        throw new IllegalArgumentException(name + " is out of range: " + value);
      }
    }
  }

  /**
   * Counts since the start.
   *
   * @param requests by kind
   * @param deferred replies that are deferred and not answered now
   * @param errors requests answered with EIO
   * @param failures calls of the file system that threw, or ended without an answer
   * @param interrupts deferred replies whose caller gave up
   * @param malformed requests that make no sense
   * @param refused answers that the kernel didn't take
   * @param exhausted deferred replies that got no memory for their payload: EAGAIN
   */
  public record Statistics(
      Map<RequestKind, Long> requests,
      int deferred,
      long errors,
      long failures,
      long interrupts,
      long malformed,
      long refused,
      long exhausted) {
    public Statistics {
      requests = Map.copyOf(requests);
    }
  }

  private final Path directory;
  private final MountTable.Entry mounted;
  private final Device device;
  private final Session session;
  private final AtomicBoolean closed = new AtomicBoolean();

  private FuseMount(Path directory, MountTable.Entry mounted, Device device, Session session) {
    this.directory = directory;
    this.mounted = mounted;
    this.device = device;
    this.session = session;
  }

  /**
   * Mounts and serves. A mount that a dead server left on the directory is detached first.
   *
   * @param directory that exists; what is in it is hidden as long as the mount lasts
   * @throws IOException when there is no FUSE, the process may not mount, the kernel is too old, or
   *     another server is alive there
   */
  public static FuseMount start(Path directory, FileSystem files, Options options)
      throws IOException {
    Path path = MountPoint.prepare(directory);
    Device device = Device.open(Device.PATH);
    try {
      String data =
          "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions,max_read=%d"
              .formatted(device.descriptor(), options.maxPayload());
      Mounts.mount("fuse." + options.subtype(), options.source(), path, Mounts.READ_ONLY, data);
    } catch (IOException | RuntimeException e) {
      device.close();
      throw e;
    }
    try {
      Handshake.perform(device, options.maxPayload());
      MountTable.Entry mounted =
          MountTable.top(path).orElseThrow(() -> new IOException(path + " was unmounted at once"));
      setReadAhead(mounted.device(), options.readAheadKiB());
      Session session = new Session(device, files, options);
      session.start();
      log.info("serving {} on {}", options.source(), path);
      return new FuseMount(path, mounted, device, session);
    } catch (IOException | RuntimeException | Error e) {
      device.close();
      int result = Mounts.unmount(path, Mounts.DETACH);
      if (result < 0) {
        log.warn("cannot unmount {}: {}", path, ErrnoText.of(-result));
      }
      throw e;
    }
  }

  /** INIT can lower it only. */
  private static void setReadAhead(String kernelDevice, int kiB) {
    Path knob = Path.of("/sys/class/bdi", kernelDevice, "read_ahead_kb");
    try {
      Files.writeString(knob, Integer.toString(kiB));
    } catch (IOException e) {
      log.warn(
          "cannot write {} to {}, so large files are read in smaller pieces: {}",
          kiB,
          knob,
          e.toString());
    }
  }

  /** Where it is mounted, without symbolic links. */
  public Path directory() {
    return directory;
  }

  /** Whether requests are answered. Not after {@link #close}, or when somebody ended the mount. */
  public boolean isServing() {
    return session.isRunning() && !session.isEnding();
  }

  public Statistics statistics() {
    return session.statistics();
  }

  Session session() {
    return session;
  }

  /**
   * Ends the mount, in use or not: whoever waits for an answer, and whoever uses it after that,
   * gets an error. Deferred replies are interrupted and may be sent in vain. The file system isn't
   * called any more, unless a call takes longer than a few seconds to return.
   */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    // Its threads end by themselves only when the connection is gone.
    boolean connected = session.isRunning();
    session.end();
    boolean ended = false;
    try {
      if (isOurs(connected)) {
        unmount();
      } else {
        log.warn("{} was unmounted by somebody else, or another mount is on it", directory);
        if (session.isRunning()) {
          ControlFileSystem.abort(mounted.device());
        }
      }
      ended = session.join(PATIENCE);
    } catch (IOException e) {
      log.warn("cannot unmount {}: {}", directory, e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    // The last thread closes it if they are still there.
    device.close();
    if (!ended) {
      log.warn("{}: not all threads have ended yet", directory);
    }
  }

  /**
   * Whether the topmost mount is this one. A device number is used again as soon as its file system
   * is gone, so it proves something only while we are connected, or nobody is.
   */
  private boolean isOurs(boolean connected) throws IOException {
    MountTable.Entry top = MountTable.top(directory).orElse(null);
    return top != null
        && top.isSameFileSystem(mounted)
        && (connected || MountPoint.isDead(directory));
  }

  private void unmount() throws IOException {
    // Aborts the connection, also where the mount was copied to other namespaces.
    int result = Mounts.unmount(directory, Mounts.FORCE);
    if (result < 0) {
      Mounts.unmount(directory, /* lazy= */ true);
    }
  }
}
