package dev.socifleet.fetchcache;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;

/** A connection over which a test says what no client would. */
final class RawConnection implements AutoCloseable {
  private final Socket socket;

  RawConnection(int port) throws IOException {
    socket = new Socket();
    // Little room, so that bytes nobody reads stay with the server and not in the kernel.
    socket.setReceiveBufferSize(4 << 10);
    socket.setSoTimeout(120_000);
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 60_000);
  }

  RawConnection send(String text) throws IOException {
    try {
      socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
    } catch (SocketException e) {
      // The server has heard enough and closed; what it said can still be read.
    }
    return this;
  }

  /** The status of the answer; 0 when the connection ends without one. */
  int status() throws IOException {
    StringBuilder line = new StringBuilder();
    try {
      InputStream in = socket.getInputStream();
      for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
        line.append((char) c);
      }
    } catch (SocketException e) {
      return 0;
    }
    String[] words = line.toString().split(" ");
    return words.length > 1 ? Integer.parseInt(words[1]) : 0;
  }

  /** Ends what we send, so that the server sees its end in the middle. */
  void endSending() throws IOException {
    socket.shutdownOutput();
  }

  /** Ends with a reset, not in order. */
  void reset() throws IOException {
    socket.setSoLinger(true, 0);
    socket.close();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
