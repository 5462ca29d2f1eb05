package dev.socifleet.cli.push;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.cli.ContainerdWithImages;
import dev.socifleet.cli.RegistryWithImages;
import dev.socifleet.cli.RunSoci.Ended;
import dev.socifleet.embedded.registry.SmallRegistry;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.Repository;
import dev.socifleet.sociindex.SociIndex;
import dev.socifleet.sociindex.SociTerms;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code soci push} from a real containerd to real registries. */
@Timeout(600)
class PushIT {
  private static final Digest AMD64 =
      Digest.parse("sha256:5bf9fd029b7af8b951302d569f0ac1eed76f013875a841f0d05355c36af66af3");

  @TempDir private Path directory;
  private ContainerdWithImages containerd;

  @BeforeEach
  void start() throws Exception {
    containerd = ContainerdWithImages.start(directory);
  }

  @AfterEach
  void stop() {
    if (containerd != null) {
      containerd.close();
    }
  }

  /** The image at the registry and, under the same name, in containerd. */
  private String image(RegistryWithImages<?> registry) throws Exception {
    String local = containerd.add("multi");
    registry.push("multi", "1");
    String name = registry.app("1");
    containerd.ctr("images", "tag", local, name);
    return name;
  }

  private void pushes(RegistryWithImages<?> registry) throws Exception {
    try (registry) {
      Repository repository = registry.app();
      String name = image(registry);
      assertThat(
              containerd
                  .soci("create", "--min-layer-size", "0", "--platform", "linux/amd64", name)
                  .failure())
          .isEmpty();

      Ended pushed = containerd.soci("push", "--platform", "linux/amd64", name);

      assertThat(pushed.failure()).isEmpty();
      List<Descriptor> referrers = repository.referrers(AMD64, SociTerms.V1_TYPE);
      assertThat(referrers).hasSize(1);
      Digest index = referrers.getFirst().digest();
      assertThat(pushed.lines())
          .startsWith(
              "checking if a soci index already exists in remote repository...",
              "pushing soci index with digest: " + index)
          .contains("successfully pushed artifact with digest: " + index);
      SociIndex read = SociIndex.read(repository.manifest(index.toString()).orElseThrow().bytes());
      for (SociIndex.LayerZtoc ztoc : read.ztocs()) {
        assertThat(repository.blobSize(ztoc.ztoc())).hasValue(ztoc.ztocSize());
        assertThat(pushed.lines())
            .contains("successfully pushed artifact with digest: " + ztoc.ztoc());
      }

      Ended skipped =
          containerd.soci("push", "--existing-index", "skip", "--platform", "linux/amd64", name);
      assertThat(skipped.lines())
          .containsExactly(
              "checking if a soci index already exists in remote repository...",
              "soci index found in remote repository with digest: "
                  + index
                  + ": skipping pushing artifacts for image manifest: "
                  + AMD64);
      Ended warned = containerd.soci("push", "--platform", "linux/amd64", name);
      assertThat(warned.lines())
          .contains(
              "[WARN] soci index found in remote repository with digest: "
                  + index
                  + ": pushing index anyway",
              "skipped artifact with digest: " + read.ztocs().getFirst().ztoc());
      Ended quiet =
          containerd.soci(
              "push", "--quiet", "--existing-index", "allow", "--platform", "linux/amd64", name);
      assertThat(quiet.lines()).containsExactly(index.toString());
      assertThat(repository.referrers(AMD64, SociTerms.V1_TYPE)).hasSize(1);
    }
  }

  @Test
  void toARegistryWithReferrers() throws Exception {
    pushes(RegistryWithImages.small(directory));
  }

  @Test
  void toDockerRegistry() throws Exception {
    pushes(RegistryWithImages.docker(directory));
  }

  @Test
  void withoutAnIndexItSaysWhatToDo() throws Exception {
    try (RegistryWithImages<SmallRegistry> registry = RegistryWithImages.small(directory)) {
      String name = image(registry);

      Ended ended = containerd.soci("push", "--platform", "linux/amd64", name);

      assertThat(ended.exit()).isEqualTo(1);
      assertThat(ended.failure())
          .contains("could not find any soci index manifest v1 to push for platform linux/amd64")
          .hasLineCount(1);
    }
  }
}
