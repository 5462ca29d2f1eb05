package dev.socifleet.fetchcache;

import dev.socifleet.cacheclient.CacheMember;
import dev.socifleet.cacheclient.FleetCache.SpanRange;
import dev.socifleet.cacheclient.SpanQuestion;
import dev.socifleet.fetchcache.store.Memory;
import dev.socifleet.fetchcache.store.SpanBytes;
import dev.socifleet.fetchcache.store.SpanStore;
import dev.socifleet.oci.Digest;
import dev.socifleet.service.Metrics;
import io.micrometer.core.instrument.Counter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All flights: at most one for a span of a blob, however many callers want it.
 *
 * <p>A flight looks on disk, then asks the member that keeps the span, then the registry under its
 * pilot's credential. If that is refused, the next caller who waits becomes the pilot. Whatever
 * becomes of its callers, a flight that has begun ends by itself, within the registry's patience.
 * Thread-safe.
 */
final class Flights implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Flights.class);

  private final SpanStore store;
  private final Origin origin;
  private final Rights rights;
  private final Peers peers;
  private final Map<Flight.Key, Flight> flights = new ConcurrentHashMap<>();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Counter wrong;
  private final Counter restarted;
  private final Counter fromPeers;

  /** A span to be flown in. */
  record Wanted(SpanRange span, boolean trusted) {}

  /**
   * @param waiters one for each span; the caller leaves all of them
   * @param joined how many of them are on flights of others
   */
  record Boarded(List<Waiter> waiters, int joined) {}

  Flights(SpanStore store, Origin origin, Rights rights, Peers peers, Metrics metrics) {
    this.store = store;
    this.origin = origin;
    this.rights = rights;
    this.peers = peers;
    wrong =
        metrics.counter(
            "soci_cache_wrong_spans_total", "Fetched ranges whose bytes had another digest");
    restarted =
        metrics.counter(
            "soci_cache_flights_restarted_total",
            "Flights that went on with another caller's credential");
    fromPeers =
        metrics.counter("soci_cache_peer_spans_total", "Spans got from the member that keeps them");
    metrics.gauge("soci_cache_flights", "Spans on their way into memory", flights::size);
  }

  /** Joins the flight of a span that is under way; empty when there is none. */
  Optional<Waiter> join(Caller caller, Digest blob, SpanRange span) {
    Flight flight = flights.get(new Flight.Key(blob, span));
    Waiter waiter = new Waiter(caller);
    return flight != null && flight.join(waiter) ? Optional.of(waiter) : Optional.empty();
  }

  /**
   * Takes a caller, whose right was checked, on the flights of neighbouring spans; those that
   * aren't under way start.
   *
   * @param memory for all their bytes
   * @param forwarded another member asks: no other is asked in turn
   */
  Boarded board(
      Caller caller, Digest blob, List<Wanted> run, Memory.Reservation memory, boolean forwarded) {
    List<Waiter> waiters = new ArrayList<>();
    List<Flight> group = new ArrayList<>();
    int joined = 0;
    try {
      for (Wanted wanted : run) {
        Waiter waiter = new Waiter(caller);
        waiters.add(waiter);
        Optional<Flight> fresh =
            boardOne(new Flight.Key(blob, wanted.span()), wanted, waiter, memory);
        if (fresh.isPresent()) {
          group.add(fresh.get());
          continue;
        }
        joined++;
        if (!group.isEmpty()) {
          start(List.copyOf(group), caller, forwarded);
          group.clear();
        }
      }
      if (!group.isEmpty()) {
        start(List.copyOf(group), caller, forwarded);
      }
    } catch (RuntimeException | Error e) {
      waiters.forEach(Waiter::leave);
      fail(group, Refusal.overloaded("the flight could not start"));
      throw e;
    }
    return new Boarded(waiters, joined);
  }

  /** The flight, if it is a new one that has to be started. */
  private Optional<Flight> boardOne(
      Flight.Key key, Wanted wanted, Waiter waiter, Memory.Reservation memory) {
    Flight[] fresh = {null};
    flights.compute(
        key,
        (same, there) -> {
          if (there != null && there.join(waiter)) {
            return there;
          }
          SpanBytes buffer = memory.allocate((int) wanted.span().range().length());
          fresh[0] = new Flight(key, wanted.trusted(), buffer);
          fresh[0].join(waiter);
          return fresh[0];
        });
    return Optional.ofNullable(fresh[0]);
  }

  private void start(List<Flight> run, Caller pilot, boolean forwarded) {
    // What is on disk is read on this thread, which waits for it anyway.
    if (run.size() == 1 && fromStore(run.getFirst())) {
      return;
    }
    threads.execute(() -> fly(run, pilot, forwarded));
  }

  /** A run of neighbours, by one pilot. */
  private void fly(List<Flight> run, Caller pilot, boolean forwarded) {
    try {
      // Another flight may have stored some since they were found missing.
      for (List<Flight> missing : missing(run)) {
        List<Flight> left = forwarded ? missing : fromPeer(missing, pilot);
        if (!left.isEmpty()) {
          fromOrigin(left, pilot, forwarded);
        }
      }
    } catch (InterruptedException e) {
      fail(run, Refusal.overloaded("the cache is closing"));
    } catch (RuntimeException | Error e) { // the edge of a thread: those who wait must hear of it
      LOG.error("a flight ended by an error", e);
      fail(run, Refusal.of(500, "error", "internal error"));
    }
  }

  private List<List<Flight>> missing(List<Flight> run) {
    List<List<Flight>> groups = new ArrayList<>();
    boolean joined = false;
    for (Flight flight : run) {
      if (fromStore(flight)) {
        joined = false;
        continue;
      }
      if (!joined) {
        groups.add(new ArrayList<>());
        joined = true;
      }
      groups.getLast().add(flight);
    }
    return groups;
  }

  private boolean fromStore(Flight flight) {
    Flight.Key key = flight.key();
    Digest value = key.span().span();
    boolean there =
        flight.trusted()
            ? store.size(value) == key.span().range().length()
            : store.isProved(value, key.proof(), key.span().range().length());
    if (!there || !store.read(value, flight.buffer())) {
      return false;
    }
    flight.arrive();
    end(flight);
    return true;
  }

  /** Asks the member that keeps these; returns those that it didn't give. */
  private List<Flight> fromPeer(List<Flight> run, Caller pilot) {
    Digest blob = run.getFirst().key().blob();
    Optional<CacheMember> keeper = peers.keeper(blob, run.getFirst().key().span().range().start());
    if (keeper.isEmpty()) {
      return run;
    }
    int[] done = {0};
    try {
      keeper
          .get()
          .spans(
              new SpanQuestion(
                  pilot.repository(), blob, pilot.authorization(), SpanQuestion.Terms.FORWARDED),
              run.stream().map(flight -> flight.key().span()).toList(),
              (span, bytes) -> {
                Flight flight = run.get(done[0]++);
                flight.buffer().clear();
                flight.buffer().write(bytes, 0, bytes.length);
                fromPeers.increment();
                // Not stored: it is kept where it belongs.
                flight.arrive();
                end(flight);
              });
    } catch (IOException e) {
      LOG.debug("{}; the registry is asked", e.getMessage());
    }
    return run.subList(done[0], run.size());
  }

  private void fromOrigin(List<Flight> run, Caller pilot, boolean forwarded)
      throws InterruptedException {
    // A span's buffer is needed until the next one has begun, whoever lets go of it first.
    List<SpanBytes> buffers = run.stream().map(flight -> flight.buffer().retain()).toList();
    try {
      origin.fetch(
          pilot,
          run.getFirst().key().blob(),
          run.stream().map(flight -> flight.key().span()).toList(),
          buffers,
          (index, genuine) -> landed(run.get(index), genuine));
    } catch (Refusal e) {
      if (e.isPersonal()) {
        rights.forget(pilot, run.getFirst().key().blob());
      }
      // What has not arrived from this pilot is the next one's.
      run.stream()
          .filter(flight -> !flight.hasArrived())
          .forEach(flight -> nextPilot(flight, pilot, e, forwarded));
    } finally {
      buffers.forEach(SpanBytes::release);
    }
  }

  private void landed(Flight flight, boolean genuine) {
    Flight.Key key = flight.key();
    if (genuine) {
      flight.arrive();
      // While it is being stored, it can still be joined; so nobody finds it missing in between.
      try {
        threads.execute(() -> store(flight));
      } catch (RejectedExecutionException e) {
        end(flight); // the cache is closing
      }
      return;
    }
    wrong.increment();
    String what =
        "bytes "
            + key.span().range().toHttp()
            + " of blob "
            + key.blob()
            + " are not span "
            + key.span().span();
    Refusal why =
        flight.trusted()
            ? Refusal.registry(what + ", though a zTOC says so: the registry sent other bytes")
            : Refusal.denied("span-mismatch", what);
    fail(List.of(flight), why);
  }

  private void store(Flight flight) {
    try {
      store.write(flight.key().span().span(), flight.buffer(), List.of(flight.key().proof()));
    } finally {
      end(flight);
    }
  }

  /**
   * What a registry says of one caller is nothing to the others who wait, and what one registry
   * can't do another one may, which has the same blob.
   */
  private void nextPilot(Flight flight, Caller refused, Refusal why, boolean forwarded) {
    Optional<Waiter> next =
        flight.refuse(
            why.isPersonal() || why.isThrottling()
                ? caller -> caller.key().equals(refused.key())
                : caller -> caller.repository().registry().equals(refused.repository().registry()),
            why);
    if (next.isEmpty()) {
      flights.remove(flight.key(), flight);
      return;
    }
    restarted.increment();
    Caller pilot = next.get().caller();
    try {
      threads.execute(() -> fly(List.of(flight), pilot, forwarded));
    } catch (RejectedExecutionException e) {
      fail(List.of(flight), Refusal.overloaded("the cache is closing"));
    }
  }

  private void fail(List<Flight> run, Refusal why) {
    for (Flight flight : run) {
      if (!flight.hasArrived()) {
        flights.remove(flight.key(), flight);
        flight.fail(why);
      }
    }
  }

  private void end(Flight flight) {
    flights.remove(flight.key(), flight);
    flight.finish();
  }

  /** Ends what is under way; those who wait are told. */
  @Override
  public void close() {
    threads.shutdownNow();
    try {
      if (!threads.awaitTermination(10, TimeUnit.SECONDS)) {
        LOG.warn("{} flights did not end in time", flights.size());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
