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
import java.util.List;
import java.util.Random;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Each process of the writing half is killed while images are pushed: nothing is lost. */
@Timeout(400)
class KillIT {
  private static final long SEED = 11;

  private static final int SMALL = 30;

  /** Layers whose zTOCs take a second or more. */
  private static final int LARGE = 400;

  @TempDir Path directory;

  @Test
  void killsInTurnLoseNothing() throws Exception {
    Needs.programs("docker-registry", "skopeo", "htpasswd");
    System.out.println("seed " + SEED);
    try (Fleet fleet = Fleet.start(directory.resolve("fleet"))) {
      Digest[] images = new Digest[6];
      images[0] = push(fleet, 0);

      fleet.ingest.kill();
      images[1] = push(fleet, 1); // the registry keeps the event, and tries again
      fleet.ingest.restart();

      double opened = plansOpened(fleet);
      images[2] = push(fleet, 2, LARGE);
      await("its layers are being built").until(() -> plansOpened(fleet) > opened);
      fleet.indexer.kill();
      assertThat(fleet.repository("team/app").referrers(images[2], SociTerms.V1_TYPE))
          .as("killed before it was done")
          .isEmpty();
      fleet.indexer.restart();

      images[3] = push(fleet, 3);
      fleet.pusher.kill();
      fleet.pusher.restart();

      fleet.cache.kill();
      images[4] = push(fleet, 4);
      fleet.cache.restart();

      fleet.killBroker();
      images[5] = push(fleet, 5);
      fleet.restartBroker();

      Repository repository = fleet.repository("team/app");
      for (int i = 0; i < images.length; i++) {
        Digest image = images[i];
        String tag = "t" + i + "-soci";
        await("image " + i)
            .atMost(Duration.ofSeconds(150))
            .ignoreExceptions()
            .until(() ->
                repository.referrers(image, SociTerms.V1_TYPE).size() == 1
                    && repository.headManifest(tag).isPresent());
      }
    }
  }

  private static double plansOpened(Fleet fleet) throws Exception {
    return fleet.indexer.metric("soci_indexer_pushes", "result=\"opened\"");
  }

  private Digest push(Fleet fleet, int number) throws Exception {
    return push(fleet, number, SMALL);
  }

  /** An image of three layers with so many files of 200 kB, random ones. */
  private Digest push(Fleet fleet, int number, int files) throws Exception {
    OciLayout layout = new OciLayout(directory.resolve("image" + number));
    for (int layer = 0; layer < 3; layer++) {
      layout.addTar(new ByteArrayInputStream(tar(new Random(SEED + 10L * number + layer), files)));
    }
    Digest image = layout.finish("t" + number, List.of("/none"));
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
