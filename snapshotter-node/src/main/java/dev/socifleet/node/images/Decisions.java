package dev.socifleet.node.images;

import dev.socifleet.service.Metrics;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What was decided for each layer, and why: the last decision for each (image, layer), of the most
 * recent ones. Counted by reason, logged when it is another one than before. Thread-safe.
 */
public final class Decisions {
  private static final Logger log = LoggerFactory.getLogger(Decisions.class);
  private static final int MOST = 2048;
  private static final int LONGEST_TEXT = 500;

  /**
   * A decision.
   *
   * @param image as the pull named it; empty where its labels didn't
   * @param layer the layer's digest as the pull named it; empty where its labels didn't
   */
  public record Decision(String image, String layer, Reason reason, String detail, Instant at) {}

  private record Key(String image, String layer) {}

  private final Metrics metrics;
  private final Map<Key, Decision> recent =
      new LinkedHashMap<>(16, 0.75f, /* accessOrder= */ false) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, Decision> eldest) {
          return size() > MOST;
        }
      };

  public Decisions(Metrics metrics) {
    this.metrics = metrics;
  }

  /** Keeps a decision; texts may come from anywhere. */
  public void add(String image, String layer, Outcome outcome) {
    Decision decision =
        new Decision(
            shown(image),
            shown(layer),
            outcome.reason(),
            shown(outcome.detail()),
            Instant.now().truncatedTo(ChronoUnit.MILLIS));
    metrics
        .counter(
            "soci_node_layer_decisions",
            "Layers that were asked for, by what was decided and why",
            "reason",
            decision.reason().code())
        .increment();
    Decision before;
    synchronized (recent) {
      Key key = new Key(decision.image(), decision.layer());
      before = recent.remove(key); // so that it moves to the end
      recent.put(key, decision);
    }
    if (before == null || before.reason() != decision.reason()) {
      log.info(
          "layer {} of {}: {}: {}",
          decision.layer(),
          decision.image(),
          decision.reason().code(),
          decision.detail());
    }
  }

  /** The decisions kept, the latest last. */
  public List<Decision> recent() {
    synchronized (recent) {
      return new ArrayList<>(recent.values());
    }
  }

  /** Short and on one line. */
  private static String shown(String text) {
    String cut = text.length() > LONGEST_TEXT ? text.substring(0, LONGEST_TEXT) + "…" : text;
    return cut.replaceAll("\\p{Cntrl}", "?");
  }
}
