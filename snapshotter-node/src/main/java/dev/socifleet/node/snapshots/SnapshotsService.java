package dev.socifleet.node.snapshots;

import com.google.protobuf.Empty;
import com.google.protobuf.Timestamp;
import dev.socifleet.containerd.snapshots.v1.CleanupRequest;
import dev.socifleet.containerd.snapshots.v1.CommitSnapshotRequest;
import dev.socifleet.containerd.snapshots.v1.Info;
import dev.socifleet.containerd.snapshots.v1.Kind;
import dev.socifleet.containerd.snapshots.v1.ListSnapshotsRequest;
import dev.socifleet.containerd.snapshots.v1.ListSnapshotsResponse;
import dev.socifleet.containerd.snapshots.v1.MountsRequest;
import dev.socifleet.containerd.snapshots.v1.MountsResponse;
import dev.socifleet.containerd.snapshots.v1.PrepareSnapshotRequest;
import dev.socifleet.containerd.snapshots.v1.PrepareSnapshotResponse;
import dev.socifleet.containerd.snapshots.v1.RemoveSnapshotRequest;
import dev.socifleet.containerd.snapshots.v1.SnapshotsGrpc;
import dev.socifleet.containerd.snapshots.v1.StatSnapshotRequest;
import dev.socifleet.containerd.snapshots.v1.StatSnapshotResponse;
import dev.socifleet.containerd.snapshots.v1.UpdateSnapshotRequest;
import dev.socifleet.containerd.snapshots.v1.UpdateSnapshotResponse;
import dev.socifleet.containerd.snapshots.v1.UsageRequest;
import dev.socifleet.containerd.snapshots.v1.UsageResponse;
import dev.socifleet.containerd.snapshots.v1.ViewSnapshotRequest;
import dev.socifleet.containerd.snapshots.v1.ViewSnapshotResponse;
import dev.socifleet.containerd.types.Mount;
import dev.socifleet.service.Metrics;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The {@link Snapshotter} as {@code containerd.services.snapshots.v1.Snapshots}. */
public final class SnapshotsService extends SnapshotsGrpc.SnapshotsImplBase {
  private static final Logger log = LoggerFactory.getLogger(SnapshotsService.class);
  // What containerd itself sends in one message of a list.
  private static final int BATCH = 100;

  private final Snapshotter snapshotter;
  private final Metrics metrics;

  @FunctionalInterface
  private interface Call<T> {
    T run() throws SnapshotException, IOException;
  }

  public SnapshotsService(Snapshotter snapshotter, Metrics metrics) {
    this.snapshotter = snapshotter;
    this.metrics = metrics;
  }

  @Override
  public void prepare(
      PrepareSnapshotRequest request, StreamObserver<PrepareSnapshotResponse> reply) {
    answer(
        "prepare",
        request.getKey(),
        reply,
        () ->
            PrepareSnapshotResponse.newBuilder()
                .addAllMounts(
                    mounts(
                        snapshotter.prepare(
                            request.getKey(), request.getParent(), request.getLabelsMap())))
                .build());
  }

  @Override
  public void view(ViewSnapshotRequest request, StreamObserver<ViewSnapshotResponse> reply) {
    answer(
        "view",
        request.getKey(),
        reply,
        () ->
            ViewSnapshotResponse.newBuilder()
                .addAllMounts(
                    mounts(
                        snapshotter.view(
                            request.getKey(), request.getParent(), request.getLabelsMap())))
                .build());
  }

  @Override
  public void mounts(MountsRequest request, StreamObserver<MountsResponse> reply) {
    answer(
        "mounts",
        request.getKey(),
        reply,
        () ->
            MountsResponse.newBuilder()
                .addAllMounts(mounts(snapshotter.mounts(request.getKey())))
                .build());
  }

  @Override
  public void commit(CommitSnapshotRequest request, StreamObserver<Empty> reply) {
    answer(
        "commit",
        request.getKey(),
        reply,
        () -> {
          snapshotter.commit(request.getKey(), request.getName(), request.getLabelsMap());
          return Empty.getDefaultInstance();
        });
  }

  @Override
  public void remove(RemoveSnapshotRequest request, StreamObserver<Empty> reply) {
    answer(
        "remove",
        request.getKey(),
        reply,
        () -> {
          snapshotter.remove(request.getKey());
          return Empty.getDefaultInstance();
        });
  }

  @Override
  public void stat(StatSnapshotRequest request, StreamObserver<StatSnapshotResponse> reply) {
    answer(
        "stat",
        request.getKey(),
        reply,
        () ->
            StatSnapshotResponse.newBuilder()
                .setInfo(info(snapshotter.stat(request.getKey())))
                .build());
  }

  @Override
  public void update(UpdateSnapshotRequest request, StreamObserver<UpdateSnapshotResponse> reply) {
    Info wanted = request.getInfo();
    answer(
        "update",
        wanted.getName(),
        reply,
        () ->
            UpdateSnapshotResponse.newBuilder()
                .setInfo(
                    info(
                        snapshotter.update(
                            wanted.getName(),
                            wanted.getLabelsMap(),
                            request.getUpdateMask().getPathsList())))
                .build());
  }

  @Override
  public void list(ListSnapshotsRequest request, StreamObserver<ListSnapshotsResponse> reply) {
    Predicate<Snapshot> wanted;
    try {
      wanted = SnapshotFilter.anyOf(request.getFiltersList());
    } catch (SnapshotException e) {
      count("list", e.reason().name());
      reply.onError(status(e));
      return;
    }
    List<Snapshot> found = snapshotter.list().stream().filter(wanted).toList();
    for (int start = 0; start < found.size(); start += BATCH) {
      ListSnapshotsResponse.Builder batch = ListSnapshotsResponse.newBuilder();
      found
          .subList(start, Math.min(start + BATCH, found.size()))
          .forEach(snapshot -> batch.addInfo(info(snapshot)));
      reply.onNext(batch.build());
    }
    count("list", "ok");
    reply.onCompleted();
  }

  @Override
  public void usage(UsageRequest request, StreamObserver<UsageResponse> reply) {
    answer(
        "usage",
        request.getKey(),
        reply,
        () -> {
          Snapshot.Usage usage = snapshotter.usage(request.getKey());
          return UsageResponse.newBuilder()
              .setSize(usage.bytes())
              .setInodes(usage.inodes())
              .build();
        });
  }

  @Override
  public void cleanup(CleanupRequest request, StreamObserver<Empty> reply) {
    answer(
        "cleanup",
        "",
        reply,
        () -> {
          snapshotter.cleanup();
          return Empty.getDefaultInstance();
        });
  }

  /** The edge of each call: its outcome is counted, an unexpected failure logged, once. */
  @SuppressWarnings("IllegalCatch")
  private <T> void answer(String method, String key, StreamObserver<T> reply, Call<T> call) {
    T value;
    try {
      value = call.run();
    } catch (SnapshotException e) {
      count(method, e.reason().name());
      log.debug("{} {}: {}: {}", method, key, e.reason(), e.getMessage());
      reply.onError(status(e));
      return;
    } catch (IOException | RuntimeException e) {
      count(method, "failed");
      log.error("{} {} failed", method, key, e);
      reply.onError(
          Status.UNKNOWN
              .withDescription("cannot " + method + " snapshot " + key + ": " + e.getMessage())
              .asRuntimeException());
      return;
    }
    count(method, "ok");
    reply.onNext(value);
    reply.onCompleted();
  }

  private void count(String method, String outcome) {
    metrics
        .counter(
            "soci_node_snapshot_calls",
            "Calls of the snapshots service",
            "method",
            method,
            "outcome",
            outcome.toLowerCase(Locale.ROOT))
        .increment();
  }

  private static RuntimeException status(SnapshotException e) {
    Status status =
        switch (e.reason()) {
          case NOT_FOUND -> Status.NOT_FOUND;
          case ALREADY_EXISTS -> Status.ALREADY_EXISTS;
          case FAILED_PRECONDITION -> Status.FAILED_PRECONDITION;
          case INVALID_ARGUMENT -> Status.INVALID_ARGUMENT;
          case UNAVAILABLE -> Status.UNAVAILABLE;
        };
    return status.withDescription(e.getMessage()).asRuntimeException();
  }

  private static List<Mount> mounts(List<MountOptions> mounts) {
    return mounts.stream()
        .map(mount ->
            Mount.newBuilder()
                .setType(mount.type())
                .setSource(mount.source())
                .addAllOptions(mount.options())
                .build())
        .toList();
  }

  private static Info info(Snapshot snapshot) {
    return Info.newBuilder()
        .setName(snapshot.name())
        .setParent(snapshot.parent())
        .setKind(
            switch (snapshot.kind()) {
              case VIEW -> Kind.VIEW;
              case ACTIVE -> Kind.ACTIVE;
              case COMMITTED -> Kind.COMMITTED;
            })
        .setCreatedAt(timestamp(snapshot.created()))
        .setUpdatedAt(timestamp(snapshot.updated()))
        .putAllLabels(snapshot.labels())
        .build();
  }

  private static Timestamp timestamp(Instant instant) {
    return Timestamp.newBuilder()
        .setSeconds(instant.getEpochSecond())
        .setNanos(instant.getNano())
        .build();
  }
}
