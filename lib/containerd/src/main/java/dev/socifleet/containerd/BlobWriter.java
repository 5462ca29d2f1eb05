package dev.socifleet.containerd;

import com.google.protobuf.ByteString;
import dev.socifleet.containerd.content.v1.ContentGrpc;
import dev.socifleet.containerd.content.v1.WriteAction;
import dev.socifleet.containerd.content.v1.WriteContentRequest;
import dev.socifleet.containerd.content.v1.WriteContentResponse;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * One blob on its way into containerd's store: one message is on its way at a time. Closed before
 * it is committed, what was written stays, and a later writer of the same ref goes on from there.
 * One thread.
 */
public final class BlobWriter implements AutoCloseable {
  // Below gRPC's default limit of a message, 4 MiB, so that any proxy in between takes it too.
  private static final int LARGEST_PART = 1 << 20;

  private final WriteContentRequest about;
  private final BlockingClientCall<WriteContentRequest, WriteContentResponse> call;
  private long offset;

  private BlobWriter(
      WriteContentRequest about,
      BlockingClientCall<WriteContentRequest, WriteContentResponse> call) {
    this.about = about;
    this.call = call;
  }

  /**
   * @param about ref, expected digest and size
   */
  static BlobWriter open(ContentGrpc.ContentBlockingV2Stub content, WriteContentRequest about)
      throws IOException {
    BlobWriter writer = new BlobWriter(about, content.write());
    writer.offset =
        writer.exchange(about.toBuilder().setAction(WriteAction.STAT).build()).getOffset();
    return writer;
  }

  /** How many bytes containerd has; the next one to write is at this offset. */
  public long offset() {
    return offset;
  }

  public void write(byte[] bytes, int start, int length) throws IOException {
    for (int at = start; at < start + length; ) {
      int part = Math.min(LARGEST_PART, start + length - at);
      exchange(
          WriteContentRequest.newBuilder()
              .setAction(WriteAction.WRITE)
              .setOffset(offset)
              .setData(ByteString.copyFrom(bytes, at, part))
              .build());
      offset += part;
      at += part;
    }
  }

  /**
   * Makes the blob part of the store. containerd checks size and digest.
   *
   * @throws ContainerdException FAILED_PRECONDITION: other bytes were written than those announced
   */
  public void commit(Map<String, String> labels) throws IOException {
    try {
      exchange(
          WriteContentRequest.newBuilder()
              .setAction(WriteAction.COMMIT)
              .setOffset(offset)
              .setTotal(about.getTotal())
              .setExpected(about.getExpected())
              .putAllLabels(labels)
              .build());
    } catch (ContainerdException e) {
      // Another writer was quicker: the bytes are the same.
      if (e.code() != Status.Code.ALREADY_EXISTS) {
        throw e;
      }
      return;
    }
    finish();
  }

  /** Reads to the end: containerd answers a commit twice, and what isn't read leaks its buffer. */
  private void finish() throws IOException {
    String action = "end the upload of blob " + about.getExpected();
    call.halfClose();
    try {
      while (call.read(Calls.SOON.toSeconds(), TimeUnit.SECONDS) != null) {
        // The same answer once more.
      }
    } catch (StatusException e) {
      throw new ContainerdException(action, e.getStatus());
    } catch (TimeoutException e) {
      throw new ContainerdException(action, Status.DEADLINE_EXCEEDED);
    } catch (InterruptedException e) {
      throw ContentStore.interrupted(action);
    }
  }

  private WriteContentResponse exchange(WriteContentRequest request) throws IOException {
    String action = "write blob " + about.getExpected() + " into containerd";
    long timeoutSeconds = Calls.SOON.toSeconds();
    try {
      call.write(request, timeoutSeconds, TimeUnit.SECONDS);
      WriteContentResponse response = call.read(timeoutSeconds, TimeUnit.SECONDS);
      if (response == null) {
        throw new ContainerdException(
            action, Status.Code.UNKNOWN, "containerd ended the upload", null);
      }
      return response;
    } catch (StatusException e) {
      throw new ContainerdException(action, e.getStatus());
    } catch (TimeoutException e) {
      throw new ContainerdException(action, Status.DEADLINE_EXCEEDED);
    } catch (InterruptedException e) {
      throw ContentStore.interrupted(action);
    }
  }

  @Override
  public void close() {
    call.cancel("closed", null);
  }
}
