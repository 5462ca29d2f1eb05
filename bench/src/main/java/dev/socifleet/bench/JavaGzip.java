package dev.socifleet.bench;

import java.io.IOException;
import java.util.zip.GZIPOutputStream;

/** Compresses standard input to standard output as Java programs do. */
final class JavaGzip {
  private JavaGzip() {}

  public static void main(String[] arguments) throws IOException {
    GZIPOutputStream out = new GZIPOutputStream(System.out, 1 << 16);
    System.in.transferTo(out);
    out.finish();
    System.out.flush();
  }
}
