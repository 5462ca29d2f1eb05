package dev.socifleet.cli.rpull;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.socifleet.oci.Platforms;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.LongAdder;

/**
 * How a pull is shown: a line for each layer and one at the end; a line that changes while it goes
 * on where there is a terminal; one JSON object instead of all that; or only the digest.
 */
final class PullOutput implements PullListener {
  enum Form {
    LINES,
    JSON,
    QUIET
  }

  private static final long REDRAW_NANOS = 100_000_000;

  private final PrintWriter out;
  private final PrintWriter terminal;
  private final Form form;
  private final boolean moving;
  private final LongAdder received = new LongAdder();
  private int layers;
  private volatile String doing = "";
  private volatile long drawn;

  /**
   * @param terminal where the moving line is drawn, if {@code moving}
   */
  PullOutput(PrintWriter out, PrintWriter terminal, Form form, boolean moving) {
    this.out = out;
    this.terminal = terminal;
    this.form = form;
    this.moving = moving && form == Form.LINES;
  }

  @Override
  public void found(List<ImageLayer> found) {
    layers = found.size();
  }

  @Override
  public void working(ImageLayer layer) {
    doing = "layer " + (layer.number() + 1) + "/" + layers;
    drawn = 0;
    draw();
  }

  @Override
  public void received(int bytes) {
    received.add(bytes);
    draw();
  }

  @Override
  public void settled(LayerResult result) {
    if (form != Form.LINES) {
      return;
    }
    erase();
    ImageLayer layer = result.layer();
    String how = (result.there() ? "there, " : "") + result.state().name().toLowerCase(Locale.ROOT);
    out.printf(
        Locale.ROOT,
        "%d/%d %s  %-15s %9s%s%s%n",
        layer.number() + 1,
        layers,
        shortened(layer.blob().digest().toString()),
        how,
        megabytes(layer.blob().size()),
        result.there() ? "" : String.format(Locale.ROOT, " %7d ms", result.took().toMillis()),
        result.downloaded() > 0 ? "  " + megabytes(result.downloaded()) + " downloaded" : "");
    out.flush();
  }

  /** Ends the moving line, so that what follows starts on a line of its own. */
  void erase() {
    if (moving) {
      terminal.print("\r\033[K");
      terminal.flush();
    }
  }

  private void draw() {
    long now = System.nanoTime();
    if (moving && (drawn == 0 || now - drawn > REDRAW_NANOS)) {
      drawn = now;
      terminal.print("\r\033[K" + doing + "  " + megabytes(received.sum()) + " downloaded");
      terminal.flush();
    }
  }

  void done(PullResult result, PullRequest request) {
    switch (form) {
      case QUIET -> out.println(result.image().target().digest());
      case JSON -> out.println(json(result, request));
      case LINES ->
          out.printf(
              Locale.ROOT,
              "%s %s: %d of %d layers lazy, %s of %s downloaded, %s%n",
              request.name(),
              shortened(result.image().target().digest().toString()),
              result.lazyLayers(),
              result.layers().size(),
              megabytes(result.downloaded()),
              megabytes(result.image().bytes()),
              seconds(result.took()));
    }
    out.flush();
  }

  private static String json(PullResult result, PullRequest request) {
    ObjectNode root = new JsonMapper().createObjectNode();
    root.put("image", request.name())
        .put("digest", result.image().target().digest().toString())
        .put("manifest", result.image().manifestDocument().descriptor().digest().toString())
        .put("platform", Platforms.text(request.platform()))
        .put("namespace", request.namespace())
        .put("snapshotter", request.snapshotter());
    ArrayNode all = root.putArray("layers");
    for (LayerResult layer : result.layers()) {
      all.addObject()
          .put("digest", layer.layer().blob().digest().toString())
          .put("chainId", layer.layer().chainId())
          .put("size", layer.layer().blob().size())
          .put("state", layer.state().name().toLowerCase(Locale.ROOT))
          .put("thereBefore", layer.there())
          .put("downloaded", layer.downloaded())
          .put("millis", layer.took().toMillis());
    }
    return root.put("size", result.image().bytes())
        .put("downloaded", result.downloaded())
        .put("millis", result.took().toMillis())
        .toString();
  }

  private static String shortened(String digest) {
    int colon = digest.indexOf(':');
    return digest.substring(0, Math.min(digest.length(), colon + 13));
  }

  private static String megabytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
  }

  private static String seconds(Duration time) {
    return String.format(Locale.ROOT, "%.1f s", time.toMillis() / 1e3);
  }
}
