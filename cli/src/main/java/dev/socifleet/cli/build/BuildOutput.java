package dev.socifleet.cli.build;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.sociindex.PlatformChoice.Chosen;
import dev.socifleet.sociindex.build.BuildListener;
import java.io.PrintWriter;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What a build prints: the lines of the existing tool, which programs read, on the standard output;
 * a moving line on the terminal; or only the result. Thread-safe.
 */
public final class BuildOutput implements BuildListener {
  enum Form {
    LINES,
    JSON,
    QUIET
  }

  private final PrintWriter out;
  private final PrintWriter err;
  private final Form form;
  private final ReadingProgress progress;

  BuildOutput(PrintWriter out, PrintWriter err, Form form, boolean terminal) {
    this.out = out;
    this.err = err;
    this.form = form;
    progress = new ReadingProgress(err, terminal && form == Form.LINES);
  }

  /** A line on the standard output, unless only the result is wanted there. */
  public synchronized void line(String text) {
    if (form == Form.LINES) {
      progress.erase();
      out.println(text);
      out.flush();
    }
  }

  /** A line on the standard error, whatever the form. */
  public synchronized void warn(String text) {
    progress.erase();
    err.println("soci: warning: " + text);
    err.flush();
  }

  /** The result: what {@code --quiet} prints, and what {@code --json} does. */
  public synchronized void result(String quiet, ObjectNode json) {
    progress.erase();
    switch (form) {
      case QUIET -> out.println(quiet);
      case JSON -> out.println(json.toString());
      case LINES -> {}
    }
    out.flush();
  }

  /** Ends the moving line. */
  public synchronized void erase() {
    progress.erase();
  }

  /** The layers that are going to be read: each once, those too small not at all. */
  public void expect(List<Chosen> images, long minLayerSize) {
    Set<Digest> seen = new HashSet<>();
    for (Chosen image : images) {
      for (Descriptor layer : image.image().manifest().layers()) {
        if (layer.size() >= minLayerSize && seen.add(layer.digest())) {
          progress.expect(layer.size());
        }
      }
    }
  }

  @Override
  public synchronized void reading(Descriptor layer, long bytes) {
    progress.at(layer.digest(), bytes);
  }

  @Override
  public void built(Descriptor layer, Digest ztoc) {
    line("layer " + layer.digest() + " -> ztoc " + ztoc);
  }

  @Override
  public void reused(Descriptor layer, Digest ztoc) {
    line("layer " + layer.digest() + " -> ztoc " + ztoc + " (already exists)");
  }

  @Override
  public void tooSmall(Descriptor layer, long minLayerSize) {
    line(skipped(layer) + " size " + layer.size() + " is less than min-layer-size " + minLayerSize);
  }

  @Override
  public void unsupported(Descriptor layer) {
    line(
        skipped(layer)
            + " is compressed in an unsupported format. expect: [tar, gzip, unknown] but got \""
            + (layer.mediaType().endsWith("zstd") ? "zstd" : "")
            + "\"");
  }

  @Override
  public void refused(Descriptor layer, String reason) {
    line(skipped(layer) + " can't be indexed: " + reason);
  }

  private static String skipped(Descriptor layer) {
    return "ztoc skipped - layer " + layer.digest() + " (" + layer.mediaType() + ")";
  }

  @Override
  public void prefetch(Digest layer, Digest artifact) {
    line("Created prefetch artifact for layer " + layer + ": " + artifact);
  }

  @Override
  public void notFound(String path) {
    warn("prefetch file " + path + " not found in any layer");
  }
}
