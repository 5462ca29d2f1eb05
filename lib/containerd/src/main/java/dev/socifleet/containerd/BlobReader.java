package dev.socifleet.containerd;

import com.google.protobuf.ByteString;
import dev.socifleet.containerd.content.v1.ReadContentResponse;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A blob that containerd sends in parts; one part is in memory, and waited for no longer than for
 * an answer. One thread.
 */
final class BlobReader extends InputStream {
  private final String action;
  private final BlockingClientCall<?, ReadContentResponse> call;
  private ByteString part = ByteString.EMPTY;
  private int at;
  private boolean ended;

  /**
   * @param action completes "cannot …" where it fails
   */
  BlobReader(String action, BlockingClientCall<?, ReadContentResponse> call) {
    this.action = action;
    this.call = call;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] to, int from, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    while (at == part.size() && !ended) {
      next();
    }
    if (ended) {
      return -1;
    }
    int n = Math.min(length, part.size() - at);
    part.substring(at, at + n).copyTo(to, from);
    at += n;
    return n;
  }

  private void next() throws IOException {
    try {
      ReadContentResponse response = call.read(Calls.SOON.toSeconds(), TimeUnit.SECONDS);
      ended = response == null;
      part = response == null ? ByteString.EMPTY : response.getData();
      at = 0;
    } catch (StatusException e) {
      throw new ContainerdException(action, e.getStatus());
    } catch (TimeoutException e) {
      throw new ContainerdException(action, Status.DEADLINE_EXCEEDED);
    } catch (InterruptedException e) {
      call.cancel("interrupted", e);
      throw ContentStore.interrupted(action);
    }
  }

  @Override
  public void close() {
    if (!ended) {
      call.cancel("closed", null);
    }
  }
}
