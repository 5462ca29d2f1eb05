package dev.socifleet.containerd;

import com.google.protobuf.ByteString;
import com.google.protobuf.FieldMask;
import dev.socifleet.containerd.content.v1.AbortRequest;
import dev.socifleet.containerd.content.v1.ContentGrpc;
import dev.socifleet.containerd.content.v1.DeleteContentRequest;
import dev.socifleet.containerd.content.v1.Info;
import dev.socifleet.containerd.content.v1.InfoRequest;
import dev.socifleet.containerd.content.v1.InfoResponse;
import dev.socifleet.containerd.content.v1.ListContentRequest;
import dev.socifleet.containerd.content.v1.ListContentResponse;
import dev.socifleet.containerd.content.v1.ReadContentRequest;
import dev.socifleet.containerd.content.v1.StatusRequest;
import dev.socifleet.containerd.content.v1.UpdateRequest;
import dev.socifleet.containerd.content.v1.WriteContentRequest;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * containerd's store of blobs, in one namespace. Digests are texts, {@code sha256:<hex>}.
 * Thread-safe.
 */
public final class ContentStore {
  // Another writer of the same blob that stands still this long is stuck.
  private static final Duration STANDSTILL = Duration.ofMinutes(2);
  private static final long FIRST_WAIT_MILLIS = 50;
  private static final long LONGEST_WAIT_MILLIS = 1000;

  private final ContentGrpc.ContentBlockingV2Stub content;

  /**
   * @param calls in a namespace, under a lease where blobs are written
   */
  public ContentStore(Channel calls) {
    content = ContentGrpc.newBlockingV2Stub(calls);
  }

  /** Size and labels of a blob, or empty when this namespace has none of that digest. */
  public Optional<Info> info(String digest) throws ContainerdException {
    InfoRequest request = InfoRequest.newBuilder().setDigest(digest).build();
    return Calls.find(
            "look for blob " + digest + " in containerd",
            () -> content.withDeadlineAfter(Calls.SOON).info(request))
        .map(InfoResponse::getInfo);
  }

  /**
   * The bytes of a small blob.
   *
   * @param most how many bytes it may have
   */
  public byte[] read(String digest, int most) throws IOException {
    ReadContentRequest request = ReadContentRequest.newBuilder().setDigest(digest).build();
    try (InputStream in = open(content.withDeadlineAfter(Calls.SOON), request)) {
      byte[] bytes = in.readNBytes(most);
      if (in.read() >= 0) {
        throw new IOException(
            "cannot read blob "
                + digest
                + " from containerd: it is larger than "
                + most
                + " bytes");
      }
      return bytes;
    }
  }

  /**
   * A blob as a stream, from its first byte to its last. Closing it early ends the call. Its digest
   * is not checked.
   */
  public InputStream open(String digest) {
    return open(content, ReadContentRequest.newBuilder().setDigest(digest).build());
  }

  /** Exactly the bytes from {@code start} up to, not including, {@code end} of a blob. */
  public byte[] read(String digest, long start, long end) throws IOException {
    ReadContentRequest request =
        ReadContentRequest.newBuilder()
            .setDigest(digest)
            .setOffset(start)
            .setSize(end - start)
            .build();
    try (InputStream in = open(content.withDeadlineAfter(Calls.SOON), request)) {
      byte[] bytes = in.readNBytes(Math.toIntExact(end - start));
      if (bytes.length < end - start) {
        throw new EOFException("blob " + digest + " ends at byte " + (start + bytes.length));
      }
      return bytes;
    }
  }

  private static InputStream open(
      ContentGrpc.ContentBlockingV2Stub content, ReadContentRequest request) {
    return new BlobReader(
        "read blob " + request.getDigest() + " from containerd", content.read(request));
  }

  /** Writes a small blob with labels; where it is there already, labels it. */
  public void put(String digest, byte[] bytes, Map<String, String> labels) throws IOException {
    Optional<BlobWriter> missing = write("soci-" + digest, digest, bytes.length);
    if (missing.isEmpty()) {
      label(digest, labels);
      return;
    }
    try (BlobWriter writer = missing.get()) {
      int written = Math.toIntExact(writer.offset());
      writer.write(bytes, written, bytes.length - written);
      writer.commit(labels);
    }
  }

  /** Every blob of this namespace. */
  public List<Info> list() throws IOException {
    String action = "list the blobs in containerd";
    List<Info> all = new ArrayList<>();
    BlockingClientCall<?, ListContentResponse> call =
        content.withDeadlineAfter(Calls.SOON).list(ListContentRequest.getDefaultInstance());
    try {
      for (ListContentResponse part = call.read(); part != null; part = call.read()) {
        all.addAll(part.getInfoList());
      }
    } catch (StatusException e) {
      throw new ContainerdException(action, e.getStatus());
    } catch (InterruptedException e) {
      call.cancel("interrupted", e);
      throw interrupted(action);
    }
    return all;
  }

  /** Removes a blob from this namespace; false when it has none of that digest. */
  public boolean delete(String digest) throws ContainerdException {
    DeleteContentRequest request = DeleteContentRequest.newBuilder().setDigest(digest).build();
    return Calls.find(
            "remove blob " + digest + " from containerd",
            () -> content.withDeadlineAfter(Calls.SOON).delete(request))
        .isPresent();
  }

  /**
   * Begins to write a blob, or goes on where an earlier writer of the same {@code ref} stopped.
   * While another one writes, waits for it. Empty when the blob is there; it is held by the lease
   * then.
   *
   * @param ref names the upload: containerd's own clients take {@code layer-<digest>} and the like
   * @param size of the whole blob in bytes
   */
  public Optional<BlobWriter> write(String ref, String digest, long size) throws IOException {
    WriteContentRequest first =
        WriteContentRequest.newBuilder()
            .setRef(ref)
            .setExpected(digest)
            .setTotal(size)
            .setData(ByteString.EMPTY)
            .build();
    long waitMillis = FIRST_WAIT_MILLIS;
    long seen = -1;
    long seenAt = System.nanoTime();
    while (true) {
      try {
        return Optional.of(BlobWriter.open(content, first));
      } catch (ContainerdException e) {
        if (e.code() == Status.Code.ALREADY_EXISTS) {
          return Optional.empty();
        }
        if (e.code() != Status.Code.UNAVAILABLE) {
          throw e;
        }
        // Locked by another writer; or containerd is gone, then this fails.
        long offset = offset(ref);
        if (offset != seen) {
          seen = offset;
          seenAt = System.nanoTime();
        } else if (System.nanoTime() - seenAt > STANDSTILL.toNanos()) {
          throw e;
        }
      }
      try {
        Thread.sleep(waitMillis);
      } catch (InterruptedException e) {
        throw interrupted("write blob " + digest + " into containerd");
      }
      waitMillis = Math.min(2 * waitMillis, LONGEST_WAIT_MILLIS);
    }
  }

  /** How far an upload is; 0 when there is none (any more). */
  private long offset(String ref) throws ContainerdException {
    StatusRequest request = StatusRequest.newBuilder().setRef(ref).build();
    return Calls.find(
            "look at upload " + ref + " in containerd",
            () -> content.withDeadlineAfter(Calls.SOON).status(request))
        .map(found -> found.getStatus().getOffset())
        .orElse(0L);
  }

  /** Throws away what an upload has written so far. */
  public void abort(String ref) throws ContainerdException {
    AbortRequest request = AbortRequest.newBuilder().setRef(ref).build();
    Calls.uninterrupted(() ->
        Calls.find(
            "abort upload " + ref + " in containerd",
            () -> content.withDeadlineAfter(Calls.SOON).abort(request)));
  }

  /** Sets labels of a blob; the others stay. An empty value takes a label away. */
  public void label(String digest, Map<String, String> labels) throws ContainerdException {
    if (labels.isEmpty()) {
      return;
    }
    FieldMask.Builder mask = FieldMask.newBuilder();
    labels.keySet().forEach(key -> mask.addPaths("labels." + key));
    UpdateRequest request =
        UpdateRequest.newBuilder()
            .setInfo(Info.newBuilder().setDigest(digest).putAllLabels(labels))
            .setUpdateMask(mask)
            .build();
    var _ =
        Calls.call(
            "label blob " + digest + " in containerd",
            () -> content.withDeadlineAfter(Calls.SOON).update(request));
  }

  static InterruptedIOException interrupted(String action) {
    Thread.currentThread().interrupt();
    return new InterruptedIOException("cannot " + action + ": interrupted");
  }
}
