package dev.socifleet.testing;

import dev.socifleet.events.ImageOutcome;
import dev.socifleet.events.Topic;
import dev.socifleet.oci.Repository;
import dev.socifleet.oci.RepositoryName;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the tests of one of the pipeline's services have in common: a rig for a class of them, a
 * repository of its own for each.
 */
public abstract class PipelineFixture {
  protected static PipelineRig rig;

  protected ScriptedRegistries registries;
  protected RepositoryName name;
  protected Repository repository;

  @BeforeAll
  static void startRig(@TempDir Path directory) throws Exception {
    rig = PipelineRig.start(directory);
  }

  @AfterAll
  static void stopRig() {
    rig.close();
  }

  @BeforeEach
  void openRepository() throws Exception {
    registries = rig.registries();
    name = rig.freshRepository();
    repository = registries.repository(name);
  }

  @AfterEach
  void closeRegistries() {
    registries.close();
  }

  /** What soci.images says of this test's repository so far. */
  protected List<ImageOutcome> images() {
    return rig.sent().on(Topic.IMAGES, name, ImageOutcome.class);
  }

  protected static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
