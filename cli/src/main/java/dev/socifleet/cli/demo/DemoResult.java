package dev.socifleet.cli.demo;

import dev.socifleet.cli.Sizes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What one run measured. Sizes in bytes.
 *
 * @param imageBytes compressed bytes of all layers
 * @param lazyBytes what came to the node for the lazy start, from the cache or the registry: zTOCs,
 *     spans, layers too small to be indexed
 * @param fullBytes what the full pull downloaded
 * @param pushToIndexed from the end of the push to v1 and v2 published
 * @param lazyStart from the mount's begin to the program's first output
 * @param fullStart from the full pull's begin to the program's first output
 * @param warm whether the node had spans of this image before
 */
record DemoResult(
    String image,
    int layers,
    long imageBytes,
    long uncompressedBytes,
    long lazyBytes,
    long fullBytes,
    Duration pushToIndexed,
    Duration lazyMount,
    Duration lazyStart,
    Duration fullStart,
    boolean warm) {

  /** The table as lines. */
  List<String> table() {
    List<String> lines = new ArrayList<>();
    lines.add(row("image", Sizes.megabytes(imageBytes), layers + " layers"));
    lines.add(row("unpacked", Sizes.megabytes(uncompressedBytes), ""));
    lines.add(row("push to indexed", Sizes.seconds(pushToIndexed), "v1 and v2"));
    lines.add("");
    lines.add(row("", "lazily", "full download + unpack"));
    lines.add(row("bytes fetched", Sizes.megabytes(lazyBytes), Sizes.megabytes(fullBytes)));
    lines.add(
        row(
            "share of the image",
            Sizes.share(lazyBytes, imageBytes),
            Sizes.share(fullBytes, imageBytes)));
    lines.add(row("time to first output", Sizes.seconds(lazyStart), times()));
    return List.copyOf(lines);
  }

  private String times() {
    return String.format(
        Locale.ROOT,
        "%s (%.1f times)",
        Sizes.seconds(fullStart),
        (double) fullStart.toMillis() / Math.max(1, lazyStart.toMillis()));
  }

  private static String row(String name, String first, String second) {
    return String.format(Locale.ROOT, "  %-22s %12s   %s", name, first, second).stripTrailing();
  }

  /** How far the numbers can be trusted. */
  List<String> notes() {
    List<String> notes = new ArrayList<>();
    notes.add(
        "Both starts read from the same registry in this run, the lazy one first. The registry is on this machine and its");
    notes.add(
        "files are in the page cache, so the network costs nothing: that favours the full download. What it unpacked is in the");
    notes.add("page cache, too, when java starts.");
    if (warm) {
      notes.add(
          "The node had read this image in an earlier run in this state directory: its lazy start was a warm one.");
    }
    return List.copyOf(notes);
  }

  /** The same as one JSON object. */
  String json() {
    return String.format(
        Locale.ROOT,
        "{\"image\":\"%s\",\"layers\":%d,\"imageBytes\":%d,\"uncompressedBytes\":%d,\"lazyBytes\":%d,"
            + "\"lazyShare\":%.4f,\"fullBytes\":%d,\"pushToIndexedSeconds\":%.3f,\"lazyMountSeconds\":%.3f,"
            + "\"lazyFirstOutputSeconds\":%.3f,\"fullFirstOutputSeconds\":%.3f,\"warm\":%b}",
        image,
        layers,
        imageBytes,
        uncompressedBytes,
        lazyBytes,
        (double) lazyBytes / imageBytes,
        fullBytes,
        seconds(pushToIndexed),
        seconds(lazyMount),
        seconds(lazyStart),
        seconds(fullStart),
        warm);
  }

  private static double seconds(Duration duration) {
    return duration.toMillis() / 1e3;
  }
}
