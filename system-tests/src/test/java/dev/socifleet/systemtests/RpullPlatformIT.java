package dev.socifleet.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.socifleet.oci.BlobContent;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageIndex;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Platform;
import dev.socifleet.sociindex.SociTerms;
import dev.socifleet.testing.ContainerdProcess.Result;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which image {@code soci rpull} takes of those under one name. */
class RpullPlatformIT {
  @TempDir Path root;
  private RpullRig rig;

  @BeforeEach
  void start() throws Exception {
    rig = new RpullRig(root);
  }

  @AfterEach
  void stop() {
    if (rig != null) {
      rig.close();
    }
  }

  @Test
  void ofAnIndexTheImageOfThePlatformIsPulledAndNotItsSociIndex() throws Exception {
    rig.serve(0, 1, 2);
    Platform amd64 = Platform.of("linux", "amd64", "");
    Descriptor other =
        Descriptor.of(MediaTypes.OCI_MANIFEST, Digest.of(new byte[1]), 1)
            .withPlatform(Platform.of("linux", "s390x", ""));
    Descriptor sociIndex =
        Descriptor.of(MediaTypes.OCI_MANIFEST, Digest.of(new byte[2]), 1)
            .withPlatform(amd64)
            .withArtifactType(SociTerms.V2_TYPE);
    Descriptor mine =
        Descriptor.of(
                MediaTypes.OCI_MANIFEST,
                rig.image().manifestBlob().digest(),
                rig.image().manifestBlob().bytes().length)
            .withPlatform(amd64);
    byte[] index = pushIndex(List.of(other, mine, sociIndex));

    JsonNode result = rig.pulled("--platform", "linux/amd64");

    assertThat(result.path("digest").asText()).isEqualTo(Digest.of(index).toString());
    assertThat(result.path("manifest").asText())
        .isEqualTo(rig.image().manifestBlob().digest().toString());
    rig.collectGarbage();
    assertThat(rig.run()).isEqualTo(RpullRig.GREETING);
    assertThat(rig.blobs()).hasSize(3);

    Result wrong = rig.rpull("--platform", "linux/arm64", rig.ref);
    assertThat(wrong.status()).isEqualTo(1);
    assertThat(wrong.err())
        .contains("no image for linux/arm64")
        .contains("--platform: linux/amd64, linux/s390x")
        .hasLineCount(1);
  }

  @Test
  void aSingleImageOfAnotherPlatformIsNotPulled() throws Exception {
    Result result = rig.rpull("--platform", "linux/arm64", rig.ref);

    assertThat(result.status()).isEqualTo(1);
    assertThat(result.err()).contains("linux/amd64").hasLineCount(1);
    assertThat(rig.blobs()).isEmpty();
    assertThat(rig.leases()).isEmpty();
  }

  @Test
  void allPlatformsArePulledAndKept() throws Exception {
    rig.serve(0, 1, 2);
    ManifestBlob mine = rig.image().manifestBlob();
    ManifestBlob other = pushForArm64();
    byte[] index =
        pushIndex(
            List.of(
                Descriptor.of(MediaTypes.OCI_MANIFEST, mine.digest(), mine.bytes().length)
                    .withPlatform(Platform.of("linux", "amd64", "")),
                Descriptor.of(MediaTypes.OCI_MANIFEST, other.digest(), other.bytes().length)));

    JsonNode result = rig.pulled("--all-platforms");

    assertThat(result.path("digest").asText()).isEqualTo(Digest.of(index).toString());
    assertThat(result.path("platforms").findValuesAsText("manifest"))
        .containsExactly(mine.digest().toString(), other.digest().toString());
    assertThat(result.path("platforms").findValuesAsText("platform"))
        .containsExactly("linux/amd64", "linux/arm64");
    rig.collectGarbage();
    assertThat(rig.run()).isEqualTo(RpullRig.GREETING);
    assertThat(rig.blobs()).hasSize(5).contains(other.digest().toString());
    assertThat(rig.snapshots()).hasSize(3);

    Result both = rig.rpull("-p", "linux/arm64", "-p", "linux/amd64", rig.ref);
    assertThat(both.success())
        .containsSubsequence("linux/arm64 sha256:", "linux/amd64 sha256:", "3/3", "6 of 6 layers");
    Result wrong =
        rig.rpull("--all-platforms", "--soci-index-digest", Digest.of(index).toString(), rig.ref);
    assertThat(wrong.status()).isEqualTo(2);
    assertThat(wrong.err()).contains("index of one platform").hasLineCount(1);
  }

  /** The same layers, for another machine. */
  private ManifestBlob pushForArm64() throws Exception {
    ImageManifest manifest = rig.image().manifest();
    byte[] config =
        new String(
                Objects.requireNonNull(rig.image().blobs().get(manifest.config().digest())),
                StandardCharsets.UTF_8)
            .replace("amd64", "arm64")
            .getBytes(StandardCharsets.UTF_8);
    rig.repository.putBlob(Digest.of(config), config.length, BlobContent.of(config));
    byte[] bytes =
        OciJson.write(
            new ImageManifest(
                manifest.mediaType(),
                "",
                Descriptor.of(MediaTypes.OCI_CONFIG, Digest.of(config), config.length),
                manifest.layers(),
                null,
                Map.of()));
    rig.repository.putManifest(Digest.of(bytes).toString(), manifest.mediaType(), bytes);
    return new ManifestBlob(manifest.mediaType(), Digest.of(bytes), bytes);
  }

  /** docker-registry refuses an index whose manifests it hasn't; so its storage is written. */
  private byte[] pushIndex(List<Descriptor> entries) throws Exception {
    byte[] index = OciJson.write(new ImageIndex(MediaTypes.OCI_INDEX, "", entries, null, Map.of()));
    Digest digest = Digest.of(index);
    Path storage = root.resolve("storage/docker/registry/v2");
    Path data =
        storage.resolve(
            "blobs/sha256/" + digest.hex().substring(0, 2) + "/" + digest.hex() + "/data");
    Files.createDirectories(data.getParent());
    Files.write(data, index);
    Path manifests = storage.resolve("repositories/team/app/_manifests");
    for (String link :
        List.of("revisions/sha256/" + digest.hex() + "/link", "tags/1/current/link")) {
      Path file = manifests.resolve(link);
      Files.createDirectories(file.getParent());
      Files.writeString(file, digest.toString());
    }
    return index;
  }
}
