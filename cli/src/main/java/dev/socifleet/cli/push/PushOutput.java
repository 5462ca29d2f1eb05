package dev.socifleet.cli.push;

import dev.socifleet.oci.Digest;
import java.io.PrintWriter;

/** The lines of the existing tool, or only the pushed digests. Thread-safe. */
record PushOutput(PrintWriter out, boolean quiet) {
  synchronized void line(String text) {
    if (!quiet) {
      out.println(text);
      out.flush();
    }
  }

  synchronized void pushing(Digest index) {
    out.println(quiet ? index.toString() : "pushing soci index with digest: " + index);
    out.flush();
  }
}
