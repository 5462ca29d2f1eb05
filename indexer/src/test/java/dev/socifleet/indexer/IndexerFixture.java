package dev.socifleet.indexer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.events.LayerTask;
import dev.socifleet.events.Topic;
import dev.socifleet.events.ZtocEvent;
import dev.socifleet.events.ZtocEvent.LayerOutcome;
import dev.socifleet.events.ZtocEvent.PlanOpened;
import dev.socifleet.service.Metrics;
import dev.socifleet.service.Settings;
import dev.socifleet.testing.PipelineFixture;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The indexer's handlers between a real broker and a real registry, called as their consumers do.
 */
abstract class IndexerFixture extends PipelineFixture {
  static final long SPAN = 64 << 10;
  static final int ATTEMPTS = 3;

  final Metrics metrics = new Metrics();

  /**
   * The indexer's settings: spans of 64 KiB, layers from 1000 bytes on, three attempts.
   *
   * @param more key, value, key, value …
   */
  static IndexerConfig config(String... more) {
    Map<String, String> settings = new HashMap<>(rig.settings());
    settings.put("span-size", "64KiB");
    settings.put("min-layer-size", "1000");
    settings.put("attempts", Integer.toString(ATTEMPTS));
    for (int i = 0; i < more.length; i += 2) {
      settings.put(more[i], more[i + 1]);
    }
    return IndexerConfig.from(Settings.of(settings));
  }

  List<PlanOpened> plans() {
    return rig.sent().on(Topic.ZTOCS, name, ZtocEvent.class).stream()
        .filter(PlanOpened.class::isInstance)
        .map(PlanOpened.class::cast)
        .toList();
  }

  List<LayerTask> tasks() {
    return rig.sent().on(Topic.LAYERS, name, LayerTask.class);
  }

  List<LayerOutcome> outcomes() {
    return rig.sent().on(Topic.ZTOCS, name, LayerOutcome.class);
  }

  void nothingWasStarted() {
    assertThat(plans()).isEmpty();
    assertThat(tasks()).isEmpty();
    assertThat(images()).isEmpty();
  }
}
