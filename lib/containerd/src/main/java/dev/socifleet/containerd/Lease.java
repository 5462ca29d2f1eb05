package dev.socifleet.containerd;

import dev.socifleet.containerd.leases.v1.AddResourceRequest;
import dev.socifleet.containerd.leases.v1.CreateRequest;
import dev.socifleet.containerd.leases.v1.DeleteRequest;
import dev.socifleet.containerd.leases.v1.LeasesGrpc;
import dev.socifleet.containerd.leases.v1.Resource;
import io.grpc.Channel;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps what is made by {@link #calls()} from containerd's garbage collector until it is closed.
 * Where nobody closes it, because the process was killed, containerd lets it go after its life.
 * Thread-safe.
 */
public final class Lease implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Lease.class);
  // containerd's garbage collector reads it; an RFC 3339 time.
  private static final String EXPIRES = "containerd.io/gc.expire";

  private final String id;
  private final Channel calls;
  private final LeasesGrpc.LeasesBlockingV2Stub leases;

  private Lease(String id, Channel calls, LeasesGrpc.LeasesBlockingV2Stub leases) {
    this.id = id;
    this.calls = calls;
    this.leases = leases;
  }

  /**
   * Makes a lease.
   *
   * @param purpose the beginning of its id, for people who list leases
   * @param life how long it is valid at most
   */
  public static Lease open(
      ContainerdChannel containerd, String namespace, String purpose, Duration life)
      throws ContainerdException {
    String id = purpose + "-" + UUID.randomUUID();
    var leases = LeasesGrpc.newBlockingV2Stub(containerd.namespace(namespace));
    CreateRequest request =
        CreateRequest.newBuilder()
            .setId(id)
            .putLabels(EXPIRES, Instant.now().plus(life).truncatedTo(ChronoUnit.SECONDS).toString())
            .build();
    var _ =
        Calls.call(
            "take a lease in containerd",
            () -> leases.withDeadlineAfter(Calls.SOON).create(request));
    return new Lease(id, containerd.namespace(namespace, id), leases);
  }

  public String id() {
    return id;
  }

  /** Calls in the lease's namespace; what they make is held. */
  public Channel calls() {
    return calls;
  }

  /** Holds a snapshot that was there before, and with it all those below it. */
  public void holdSnapshot(String snapshotter, String name) throws ContainerdException {
    AddResourceRequest request =
        AddResourceRequest.newBuilder()
            .setId(id)
            .setResource(Resource.newBuilder().setType("snapshots/" + snapshotter).setId(name))
            .build();
    var _ =
        Calls.call(
            "hold snapshot " + name,
            () -> leases.withDeadlineAfter(Calls.SOON).addResource(request));
  }

  /** Ends it; what nothing else refers to may be collected from now on. */
  @Override
  public void close() {
    DeleteRequest request = DeleteRequest.newBuilder().setId(id).build();
    try {
      Calls.uninterrupted(() ->
          Calls.find(
              "end lease " + id, () -> leases.withDeadlineAfter(Calls.SOON).delete(request)));
    } catch (ContainerdException e) {
      log.warn("{}; it expires by itself", e.getMessage());
    }
  }
}
