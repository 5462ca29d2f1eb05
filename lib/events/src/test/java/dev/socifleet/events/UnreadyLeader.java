package dev.socifleet.events;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.MetadataResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.requests.RequestUtils;

/**
 * Stands before a real broker and does what a broker does for a moment after it made a partition:
 * the first request to produce is refused with NOT_LEADER_OR_FOLLOWER, those after it are taken. It
 * waits two seconds for another request behind the first, so that a client that sends them at once
 * surely has.
 */
final class UnreadyLeader implements AutoCloseable {
  private static final long WAIT_MILLIS = 2000;

  private final int brokerPort;
  private final ServerSocket listener;
  private final AtomicBoolean refused = new AtomicBoolean();

  UnreadyLeader(int brokerPort) throws IOException {
    this.brokerPort = brokerPort;
    listener = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(this::accept);
  }

  /** What a client connects to. */
  String bootstrap() {
    return "127.0.0.1:" + listener.getLocalPort();
  }

  /** Whether the first request to produce is here. */
  boolean isRefusing() {
    return refused.get();
  }

  private void accept() {
    try {
      while (true) {
        Socket client = listener.accept();
        Thread.ofVirtual().start(() -> serve(client));
      }
    } catch (IOException e) {
      assertThat(listener.isClosed()).as("the listener failed: %s", e).isTrue();
    }
  }

  /** One request after the other: answers come in the order of the requests. */
  private void serve(Socket client) {
    try (client;
        var broker = new Socket(InetAddress.getLoopbackAddress(), brokerPort)) {
      var fromClient = new DataInputStream(client.getInputStream());
      var toClient = new DataOutputStream(client.getOutputStream());
      var fromBroker = new DataInputStream(broker.getInputStream());
      var toBroker = new DataOutputStream(broker.getOutputStream());
      while (true) {
        byte[] request = receive(fromClient);
        ByteBuffer body = ByteBuffer.wrap(request);
        RequestHeader header = RequestHeader.parse(body);
        if (header.apiKey() == ApiKeys.PRODUCE && refused.compareAndSet(false, true)) {
          for (long waited = 0; waited < WAIT_MILLIS && fromClient.available() == 0; waited += 10) {
            Thread.sleep(10);
          }
          send(toClient, refusal(header, body));
        } else {
          send(toBroker, request);
          send(toClient, withThisPort(header, receive(fromBroker)));
        }
      }
    } catch (EOFException | SocketException e) {
      // The client, or the test, has ended.
    } catch (IOException e) {
      throw new AssertionError(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static byte[] refusal(RequestHeader header, ByteBuffer body) {
    AbstractRequest request =
        AbstractRequest.parseRequest(
                header.apiKey(), header.apiVersion(), new ByteBufferAccessor(body))
            .request;
    return serialized(
        header, request.getErrorResponse(new NotLeaderOrFollowerException("not made yet")));
  }

  /** A broker names itself in its metadata; clients go there. */
  private byte[] withThisPort(RequestHeader header, byte[] response) {
    if (header.apiKey() != ApiKeys.METADATA) {
      return response;
    }
    AbstractResponse parsed = AbstractResponse.parseResponse(ByteBuffer.wrap(response), header);
    ((MetadataResponse) parsed)
        .data()
        .brokers()
        .forEach(broker -> broker.setPort(listener.getLocalPort()));
    return serialized(header, parsed);
  }

  private static byte[] serialized(RequestHeader header, AbstractResponse response) {
    var responseHeader = header.toResponseHeader();
    ByteBuffer bytes =
        RequestUtils.serialize(
            responseHeader.data(),
            responseHeader.headerVersion(),
            response.data(),
            header.apiVersion());
    byte[] copy = new byte[bytes.remaining()];
    bytes.get(copy);
    return copy;
  }

  private static byte[] receive(DataInputStream in) throws IOException {
    return in.readNBytes(in.readInt());
  }

  private static void send(DataOutputStream out, byte[] message) throws IOException {
    out.writeInt(message.length);
    out.write(message);
    out.flush();
  }

  @Override
  public void close() throws IOException {
    listener.close();
  }
}
