package dev.socifleet.node.layers;

import dev.socifleet.fuse.Errno;
import dev.socifleet.fuse.Reply;
import dev.socifleet.oci.RepositoryName;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A layer that is served: its node table, the spans that this node has of it, and the spans on
 * their way. Thread-safe.
 *
 * <p>A read whose bytes are here is answered at once. Another one waits in the flights of the spans
 * it lacks, one flight a span however many wait; the spans that one read brings on their way are
 * fetched together.
 */
final class LazyLayer implements AutoCloseable {
  private static final int MOST_ROUNDS = 100;

  final LayerKey key;
  final int slot;
  final long firstIno;
  final NodeTable table;
  final LocalSpans local;
  private final FileChannel ztoc;
  private final LocalStore store;
  private final SpanFetcher fetcher;
  private final ConcurrentHashMap<Integer, SpanFlight> flights = new ConcurrentHashMap<>();
  private volatile List<RepositoryName> repositories;
  private volatile boolean closed;

  private LazyLayer(
      LayerRecord layer,
      NodeTable table,
      LocalSpans local,
      FileChannel ztoc,
      LocalStore store,
      SpanFetcher fetcher) {
    this.key = layer.key();
    this.slot = layer.slot();
    this.firstIno = layer.firstIno();
    this.repositories = layer.repositories();
    this.table = table;
    this.local = local;
    this.ztoc = ztoc;
    this.store = store;
    this.fetcher = fetcher;
  }

  /**
   * Opens a layer.
   *
   * @param directory holds {@code nodes}, {@code ztoc} and the local spans
   */
  static LazyLayer open(LayerRecord layer, Path directory, LocalStore store, SpanFetcher fetcher)
      throws IOException {
    NodeTable table = NodeTable.open(directory.resolve("nodes"));
    FileChannel ztoc = FileChannel.open(directory.resolve("ztoc"), StandardOpenOption.READ);
    try {
      LocalSpans local = store.open(table, directory);
      return new LazyLayer(layer, table, local, ztoc, store, fetcher);
    } catch (IOException e) {
      ztoc.close();
      throw e;
    }
  }

  /** Where its spans can be pulled from, the latest first. */
  List<RepositoryName> repositories() {
    return repositories;
  }

  void repositories(List<RepositoryName> known) {
    repositories = List.copyOf(known);
  }

  LocalStore store() {
    return store;
  }

  boolean isClosed() {
    return closed;
  }

  /** The window of a span. */
  void window(int span, byte[] to) throws IOException {
    long at = table.window(span);
    if (at < 0) {
      java.util.Arrays.fill(to, (byte) 0);
      return;
    }
    ByteBuffer buffer = ByteBuffer.wrap(to);
    while (buffer.hasRemaining()) {
      if (ztoc.read(buffer, at + buffer.position()) < 0) {
        throw new IOException("the zTOC of layer " + key + " on this node is cut off");
      }
    }
  }

  /** Answers a read of bytes of the archive. */
  void read(long from, int length, Reply reply) {
    if (local.has(from, length) && local.read(from, length, reply.payload())) {
      reply.sendPayload();
      return;
    }
    if (!fetcher.admit()) {
      reply.sendError(Errno.IO);
      return;
    }
    WaitingRead read = new WaitingRead(local, from, length, fetcher::answered);
    read.take(reply);
    await(read);
  }

  /** Lets a read wait for every span that it lacks, and brings on their way those that aren't. */
  void await(WaitingRead read) {
    while (!read.isAnswered()) {
      if (closed) {
        read.fail(Errno.STALE);
        return;
      }
      if (read.nextRound() > MOST_ROUNDS) {
        read.fail(Errno.IO);
        return;
      }
      List<SpanFlight> started = new ArrayList<>();
      boolean waits = false;
      int last = table.spanAt(read.end() - 1);
      for (int span = table.spanAt(read.from); span <= last; span++) {
        if (!local.reaches(span, read.end())) {
          waits |= join(span, read, started);
        }
      }
      if (!started.isEmpty()) {
        fetcher.fetch(this, started);
      }
      if (waits || read.serve()) {
        return;
      }
    }
  }

  private boolean join(int span, WaitingRead read, List<SpanFlight> started) {
    SpanFlight mine = new SpanFlight(span);
    mine.add(read);
    SpanFlight there = flights.putIfAbsent(span, mine);
    if (there == null) {
      started.add(mine);
      return true;
    }
    return there.add(read);
  }

  /** A flight has ended well: who still waits lacks other spans, or was too late for this one. */
  void landed(SpanFlight flight) {
    flights.remove(flight.span, flight);
    for (WaitingRead read : flight.end()) {
      if (!read.serve()) {
        await(read);
      }
    }
  }

  /** A flight has failed, and so have the reads that wait for it. */
  void failed(SpanFlight flight, int errno) {
    flights.remove(flight.span, flight);
    for (WaitingRead read : flight.end()) {
      read.fail(errno);
    }
  }

  /** Ends it: reads that wait are answered ESTALE, those that come find no layer. */
  @Override
  public void close() throws IOException {
    closed = true;
    flights.values().forEach(flight -> failed(flight, Errno.STALE));
    try (ztoc) {
      store.close(local);
    }
  }
}
