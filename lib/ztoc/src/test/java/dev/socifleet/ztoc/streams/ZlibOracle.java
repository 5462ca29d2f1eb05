package dev.socifleet.ztoc.streams;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/** Asks zlib: the other end of {@code src/test/c/zlib_oracle.c}. Not thread-safe. */
public final class ZlibOracle implements AutoCloseable {
  /** Bytes of a checkpoint. */
  public static final int CHECKPOINT = 32785;

  /**
   * @param code 0 if the stream is sound, else zlib's code
   * @param crc of the output
   * @param checkpoints as a zTOC stores them: count, span size, then the checkpoints
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Answer(int code, long outputBytes, int crc, byte[] checkpoints) {
    public boolean sound() {
      return code == 0;
    }
  }

  private final Process process;
  private final OutputStream requests;
  private final InputStream answers;

  private ZlibOracle(Process process) {
    this.process = process;
    requests = new BufferedOutputStream(process.getOutputStream(), 1 << 16);
    answers = process.getInputStream();
  }

  /**
   * @param program the compiled {@code zlib_oracle}
   */
  public static ZlibOracle start(Path program) throws IOException {
    return new ZlibOracle(
        new ProcessBuilder(program.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start());
  }

  public Answer ask(byte[] stream, long spanSize) throws IOException {
    ByteBuffer head = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
    requests.write(head.putInt(stream.length).putLong(spanSize).array());
    requests.write(stream);
    requests.flush();
    byte[] numbers = new byte[20];
    read(numbers, 0);
    ByteBuffer answer = ByteBuffer.wrap(numbers).order(ByteOrder.LITTLE_ENDIAN);
    int code = answer.getInt();
    long outputBytes = answer.getLong();
    int crc = answer.getInt();
    int n = answer.getInt();
    byte[] checkpoints = new byte[Math.toIntExact(12 + (long) n * CHECKPOINT)];
    ByteBuffer.wrap(checkpoints).order(ByteOrder.LITTLE_ENDIAN).putInt(n).putLong(spanSize);
    read(checkpoints, 12);
    return new Answer(code, outputBytes, crc, checkpoints);
  }

  private void read(byte[] to, int from) throws IOException {
    if (answers.readNBytes(to, from, to.length - from) < to.length - from) {
      throw new IOException("the oracle ended");
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
