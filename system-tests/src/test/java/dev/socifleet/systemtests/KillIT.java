package dev.socifleet.systemtests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.socifleet.oci.Digest;
import dev.socifleet.oci.Repository;
import dev.socifleet.sociindex.SociTerms;
import dev.socifleet.testing.Needs;
import dev.socifleet.testing.OciLayout;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Each process of the writing half is killed while images are pushed: nothing is lost, or left. */
@Timeout(1800)
class KillIT {
  private static final long SEED = 11;

  private static final Duration PATIENCE = Duration.ofMinutes(5);

  private static final int LAYERS = 3;
  private static final int MOST_LAYERS = 24;

  /** Files of a layer. */
  private static final int SMALL = 30;

  /** Those of a layer whose zTOC takes a second or more. */
  private static final int LARGE = 400;

  @TempDir Path directory;

  /** Those that were pushed, in their order; each has a tag by its number. */
  private final List<Digest> images = new ArrayList<>();

  @Test
  void killsInTurnLoseNothing() throws Exception {
    Needs.programs("docker-registry", "skopeo", "htpasswd");
    System.out.println("seed " + SEED);
    try (Fleet fleet = Fleet.start(directory.resolve("fleet"))) {
      push(fleet, LAYERS, SMALL);

      fleet.ingest.kill();
      push(fleet, LAYERS, SMALL); // the registry keeps the event, and tries again
      fleet.ingest.restart();

      killTheIndexerAtWork(fleet);

      push(fleet, LAYERS, SMALL);
      fleet.pusher.kill();
      fleet.pusher.restart();

      fleet.cache.kill();
      push(fleet, LAYERS, SMALL);
      fleet.cache.restart();

      fleet.killBroker();
      push(fleet, LAYERS, SMALL);
      fleet.restartBroker();

      Repository repository = fleet.repository("team/app");
      for (int i = 0; i < images.size(); i++) {
        Digest image = images.get(i);
        String tag = "t" + i + "-soci";
        await("image " + i)
            .atMost(PATIENCE)
            .ignoreExceptions()
            .until(() ->
                repository.referrers(image, SociTerms.V1_TYPE).size() == 1
                    && repository.headManifest(tag).isPresent());
      }
      assertThat(fleet.temporaryFiles()).isEmpty();
    }
  }

  /** Before an image is done: one that was done too early is followed by one with more layers. */
  private void killTheIndexerAtWork(Fleet fleet) throws Exception {
    for (int layers = LAYERS; layers <= MOST_LAYERS; layers *= 2) {
      double opened = plansOpened(fleet);
      Digest image = push(fleet, layers, LARGE);
      await("its layers are being built").atMost(PATIENCE).until(() -> plansOpened(fleet) > opened);
      fleet.indexer.kill();
      boolean done = !fleet.repository("team/app").referrers(image, SociTerms.V1_TYPE).isEmpty();
      fleet.indexer.restart();
      if (!done) {
        return;
      }
    }
    throw new AssertionError("the indexer was always done before it could be killed");
  }

  private static double plansOpened(Fleet fleet) throws Exception {
    return fleet.indexer.metric("soci_indexer_pushes", "result=\"opened\"");
  }

  /** The next image, whose layers each have so many files of 200 kB, random ones. */
  private Digest push(Fleet fleet, int layers, int files) throws Exception {
    int number = images.size();
    OciLayout layout = new OciLayout(directory.resolve("image" + number));
    for (int layer = 0; layer < layers; layer++) {
      long seed = SEED + (long) MOST_LAYERS * number + layer;
      layout.addTar(new ByteArrayInputStream(tar(new Random(seed), files)));
    }
    Digest image = layout.finish("t" + number, List.of("/none"));
    images.add(image);
    fleet.push(layout.directory(), "t" + number, "team/app");
    return image;
  }

  private static byte[] tar(Random random, int files) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (var tar = new TarArchiveOutputStream(bytes)) {
      for (int i = 0; i < files; i++) {
        byte[] content = new byte[200_000];
        random.nextBytes(content);
        var entry = new TarArchiveEntry("file" + i);
        entry.setSize(content.length);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
      }
    }
    return bytes.toByteArray();
  }
}
