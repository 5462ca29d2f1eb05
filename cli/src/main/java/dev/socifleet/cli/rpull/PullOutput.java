package dev.socifleet.cli.rpull;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.socifleet.cli.Sizes;
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
  private final Form form;
  private final boolean moving;
  private final boolean several;
  private final LongAdder received = new LongAdder();
  private int layers;
  private volatile String doing = "";
  private volatile long drawn;

  /**
   * @param moving whether {@code out} is a terminal, on which a line may be drawn anew
   * @param several whether there may be several platforms, which are named then
   */
  PullOutput(PrintWriter out, Form form, boolean moving, boolean several) {
    this.out = out;
    this.form = form;
    this.moving = moving && form == Form.LINES;
    this.several = several;
  }

  @Override
  public void found(FoundImage image) {
    layers = image.layers().size();
    if (several && form == Form.LINES) {
      erase();
      out.println(
          Platforms.text(image.platform())
              + " "
              + shortened(image.manifestDocument().descriptor().digest().toString()));
      out.flush();
    }
  }

  @Override
  public void working(ImageLayer layer) {
    begin("layer " + (layer.number() + 1) + "/" + layers);
  }

  @Override
  public void unpacking(ImageLayer layer) {
    begin("layer " + (layer.number() + 1) + "/" + layers + ", unpacking");
  }

  private void begin(String what) {
    doing = what;
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
        Sizes.megabytes(layer.blob().size()),
        result.there() ? "" : String.format(Locale.ROOT, " %7d ms", result.took().toMillis()),
        result.downloaded() > 0 ? "  " + Sizes.megabytes(result.downloaded()) + " downloaded" : "");
    out.flush();
  }

  /** Ends the moving line, so that what follows starts on a line of its own. */
  void erase() {
    if (moving) {
      out.print("\r\033[K");
      out.flush();
    }
  }

  private void draw() {
    long now = System.nanoTime();
    if (moving && (drawn == 0 || now - drawn > REDRAW_NANOS)) {
      drawn = now;
      out.print("\r\033[K" + doing + "  " + Sizes.megabytes(received.sum()) + " downloaded");
      out.flush();
    }
  }

  void done(List<PullResult> results, PullRequest request) {
    switch (form) {
      case QUIET -> out.println(results.getFirst().image().target().digest());
      case JSON ->
          out.println(several ? json(results, request) : json(results.getFirst(), request));
      case LINES -> summary(results, request);
    }
    out.flush();
  }

  private void summary(List<PullResult> results, PullRequest request) {
    long lazy = results.stream().mapToLong(PullResult::lazyLayers).sum();
    out.printf(
        Locale.ROOT,
        "%s %s: %d of %d layers lazy, %s of %s downloaded, %s%n",
        request.name(),
        shortened(results.getFirst().image().target().digest().toString()),
        lazy,
        results.stream().mapToInt(result -> result.layers().size()).sum(),
        Sizes.megabytes(results.stream().mapToLong(PullResult::downloaded).sum()),
        Sizes.megabytes(results.stream().mapToLong(result -> result.image().bytes()).sum()),
        Sizes.seconds(took(results)));
    if (lazy == 0) {
      out.printf(
          "no layer is lazy: the log of snapshotter %s says why; often the image has no SOCI index%n",
          request.snapshotter());
    }
  }

  private static Duration took(List<PullResult> results) {
    return results.stream().map(PullResult::took).reduce(Duration.ZERO, Duration::plus);
  }

  private static ObjectNode json(PullResult result, PullRequest request) {
    ObjectNode root = new JsonMapper().createObjectNode();
    root.put("image", request.name())
        .put("digest", result.image().target().digest().toString())
        .put("namespace", request.namespace())
        .put("snapshotter", request.snapshotter());
    platform(root, result);
    return root;
  }

  private static ObjectNode json(List<PullResult> results, PullRequest request) {
    ObjectNode root = new JsonMapper().createObjectNode();
    root.put("image", request.name())
        .put("digest", results.getFirst().image().target().digest().toString())
        .put("namespace", request.namespace())
        .put("snapshotter", request.snapshotter());
    ArrayNode platforms = root.putArray("platforms");
    results.forEach(result -> platform(platforms.addObject(), result));
    return root.put("downloaded", results.stream().mapToLong(PullResult::downloaded).sum())
        .put("millis", took(results).toMillis());
  }

  private static void platform(ObjectNode node, PullResult result) {
    node.put("manifest", result.image().manifestDocument().descriptor().digest().toString())
        .put("platform", Platforms.text(result.image().platform()));
    ArrayNode all = node.putArray("layers");
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
    node.put("size", result.image().bytes())
        .put("downloaded", result.downloaded())
        .put("millis", result.took().toMillis());
  }

  private static String shortened(String digest) {
    int colon = digest.indexOf(':');
    return digest.substring(0, Math.min(digest.length(), colon + 13));
  }
}
