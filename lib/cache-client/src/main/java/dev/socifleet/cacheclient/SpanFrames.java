package dev.socifleet.cacheclient;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.cacheclient.FleetCache.SpanRange;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * The body that answers a {@code POST /v1/spans}: one frame a span, in the order asked for, then an
 * end. Without the end, the answer was cut off.
 *
 * <pre>
 *  0      1             5
 *  +------+-------------+----------------+
 *  | kind | length      | payload        |  repeated
 *  | 1    | 4           | length bytes   |
 *  +------+-------------+----------------+
 *  kind    1  the next span asked for; as many bytes as its range, verified by the sender
 *          2  an error in the middle, the last frame: {"status": 502, "code": "…", "message": "…"},
 *             the status being the one that a request for this span alone would have got
 *          3  the end, the last frame; no payload
 *          4  still at it, whenever nothing else was sent for two seconds; no payload
 *  length  big endian, unsigned; at most {@value #LONGEST_ERROR} for an error
 * </pre>
 *
 * <p>An error before the first span is the status of the whole answer, and there are no frames.
 */
public final class SpanFrames {
  public static final String MEDIA_TYPE = "application/vnd.soci-fleet.spans.v1";
  public static final int HEAD = 5;
  public static final int LONGEST_ERROR = 4096;

  private static final byte SPAN = 1;
  private static final byte ERROR = 2;
  private static final byte END = 3;
  private static final byte STILL_AT_IT = 4;
  private static final JsonMapper JSON = new JsonMapper();

  private SpanFrames() {}

  /** What stands before a span of this many bytes. */
  public static byte[] spanHead(int length) {
    return head(SPAN, length);
  }

  public static byte[] end() {
    return head(END, 0);
  }

  public static byte[] stillAtIt() {
    return head(STILL_AT_IT, 0);
  }

  /** A whole frame that says why there are no more spans. */
  public static byte[] error(int status, String code, String message) {
    String shown = message.length() > 1000 ? message.substring(0, 1000) + "…" : message;
    byte[] payload;
    try {
      payload =
          JSON.writeValueAsBytes(
              JSON.createObjectNode()
                  .put("status", status)
                  .put("code", code)
                  .put("message", shown));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of texts is always JSON", e);
    }
    return ByteBuffer.allocate(HEAD + payload.length)
        .put(head(ERROR, payload.length))
        .put(payload)
        .array();
  }

  private static byte[] head(byte kind, int length) {
    return ByteBuffer.allocate(HEAD).put(kind).putInt(length).array();
  }

  /** An error frame as it was received. */
  static final class ErrorFrameException extends IOException {
    private final int status;

    ErrorFrameException(int status, String message) {
      super(message);
      this.status = status;
    }

    int status() {
      return status;
    }
  }

  /**
   * Reads the next span, which must be this one; allocates nothing before its length is known to be
   * right.
   *
   * @param longest how long the sender may say that it is still at it
   * @throws ErrorFrameException the sender gave up, and says why
   * @throws IOException anything that isn't in this format
   */
  static byte[] readSpan(InputStream from, SpanRange expected, Duration longest)
      throws IOException {
    DataInputStream in = new DataInputStream(from);
    byte kind = in.readByte();
    int length = in.readInt();
    for (long since = System.nanoTime(); kind == STILL_AT_IT; length = in.readInt()) {
      if (length != 0 || System.nanoTime() - since > longest.toNanos()) {
        throw new IOException("no span within " + longest.toMillis() + " ms");
      }
      kind = in.readByte();
    }
    return switch (kind) {
      case SPAN -> {
        if (length != expected.range().length()) {
          throw new IOException(
              "a span of "
                  + Integer.toUnsignedString(length)
                  + " bytes where one of "
                  + expected.range().length()
                  + " was asked for");
        }
        yield exactly(in, length, "a span");
      }
      case ERROR -> {
        if (length < 0 || length > LONGEST_ERROR) {
          throw new IOException("an error of " + Integer.toUnsignedString(length) + " bytes");
        }
        JsonNode error = JSON.readTree(exactly(in, length, "an error"));
        throw new ErrorFrameException(
            error.path("status").asInt(502), error.path("message").asText("no reason given"));
      }
      case END -> throw new IOException("it ended before all spans were there");
      default -> throw new IOException("a frame of unknown kind " + kind);
    };
  }

  private static byte[] exactly(InputStream in, int length, String what) throws IOException {
    byte[] bytes = in.readNBytes(length);
    if (bytes.length != length) {
      throw new IOException("it ended in the middle of " + what);
    }
    return bytes;
  }

  static void readEnd(InputStream from) throws IOException {
    DataInputStream in = new DataInputStream(from);
    if (in.readByte() != END || in.readInt() != 0) {
      throw new IOException("no end after the last span");
    }
  }
}
