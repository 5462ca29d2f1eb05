package dev.socifleet.indexer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.events.ImageOutcome;
import dev.socifleet.events.LayerTask;
import dev.socifleet.events.Topic;
import dev.socifleet.events.ZtocEvent;
import dev.socifleet.events.ZtocEvent.LayerOutcome;
import dev.socifleet.events.ZtocEvent.PlanOpened;
import dev.socifleet.oci.Repository;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.service.Metrics;
import dev.socifleet.service.Settings;
import dev.socifleet.testing.PipelineRig;
import dev.socifleet.testing.ScriptedRegistries;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/**
 * The indexer's handlers between a real broker and a real registry, called as their consumers do.
 */
abstract class IndexerFixture {
  static final long SPAN = 64 << 10;
  static final int ATTEMPTS = 3;

  @TempDir static Path directory;
  static PipelineRig rig;

  final Metrics metrics = new Metrics();
  ScriptedRegistries registries;
  RepositoryName name;
  Repository repository;

  @BeforeAll
  static void startRig() throws Exception {
    rig = PipelineRig.start(directory);
  }

  @AfterAll
  static void stopRig() {
    rig.close();
  }

  @BeforeEach
  void freshRepository() throws Exception {
    registries = rig.registries();
    name = rig.freshRepository();
    repository = registries.repository(name);
  }

  @AfterEach
  void closeRegistries() {
    registries.close();
  }

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

  List<ImageOutcome> images() {
    return rig.sent().on(Topic.IMAGES, name, ImageOutcome.class);
  }

  void nothingWasStarted() {
    assertThat(plans()).isEmpty();
    assertThat(tasks()).isEmpty();
    assertThat(images()).isEmpty();
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
