package dev.socifleet.cli.images;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.cli.RunSoci;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Platform;
import dev.socifleet.sociindex.SociIndex;
import dev.socifleet.sociindex.SociTerms;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What holds of every converted image, whatever it was made of. */
final class ConversionCheck {
  private static final String ABOUT = "vnd.docker.reference.digest";

  /** The entries of an image's index, those of nested indexes in their place. */
  private static final class Entries {
    final List<Descriptor> images = new ArrayList<>();
    final List<Descriptor> indexes = new ArrayList<>();
    final List<Descriptor> others = new ArrayList<>();
    private final ImageFiles files;

    Entries(ImageFiles files) throws IOException {
      this.files = files;
      add(files.root());
    }

    private void add(Descriptor entry) throws IOException {
      Platform platform = entry.platform();
      if (MediaTypes.isIndex(entry.mediaType())) {
        for (Descriptor child : OciJson.index(files.read(entry.digest())).manifests()) {
          add(child);
        }
      } else if (entry.artifactType().equals(SociTerms.V2_TYPE)) {
        indexes.add(entry);
      } else if ((platform != null && platform.os().equals("unknown"))
          || !isImageConfig(manifest(entry).config())) {
        others.add(entry);
      } else {
        images.add(entry);
      }
    }

    ImageManifest manifest(Descriptor entry) throws IOException {
      return OciJson.manifest(files.read(entry.digest()));
    }
  }

  private static boolean isImageConfig(Descriptor config) {
    return config.mediaType().equals(MediaTypes.OCI_CONFIG)
        || config.mediaType().equals(MediaTypes.DOCKER_CONFIG);
  }

  private final ImageFiles source;
  private final ImageFiles made;
  private final Entries before;
  private final Entries after;
  private final Set<Digest> seen = new HashSet<>();

  private ConversionCheck(ImageFiles source, ImageFiles made) throws IOException {
    this.source = source;
    this.made = made;
    before = new Entries(source);
    after = new Entries(made);
  }

  /**
   * Asserts it all.
   *
   * @param said the lines that the conversion printed
   */
  static void check(ImageFiles source, ImageFiles made, String said) throws IOException {
    ConversionCheck check = new ConversionCheck(source, made);
    check.everythingIsThereAndValid();
    check.configsAndLayersAreThoseOfTheSource();
    check.everythingElseIsCarriedOver();
    check.everyImageHasItsIndex(said);
  }

  /** What its images are made of, as far as it is there. */
  static Set<Digest> configsAndLayers(ImageFiles files) throws IOException {
    Entries entries = new Entries(files);
    Set<Digest> blobs = new HashSet<>();
    for (Descriptor image : entries.images) {
      ImageManifest manifest = entries.manifest(image);
      blobs.add(manifest.config().digest());
      for (Descriptor layer : manifest.layers()) {
        if (files.find(layer.digest()).isPresent()) {
          blobs.add(layer.digest());
        }
      }
    }
    return blobs;
  }

  private void everythingIsThereAndValid() throws IOException {
    assertThat(ImageSpec.LAYOUT.violations(made.top("oci-layout"))).isEmpty();
    assertThat(ImageSpec.INDEX.violations(made.top("index.json"))).isEmpty();
    assertThat(made.root().mediaType()).isEqualTo(MediaTypes.OCI_INDEX);
    reach(made.root());
  }

  private void reach(Descriptor descriptor) throws IOException {
    Optional<byte[]> content = made.find(descriptor.digest());
    if (content.isEmpty()) {
      assertThat(source.find(descriptor.digest())).as("lost: %s", descriptor).isEmpty();
      assertThat(descriptor.urls()).as("%s is elsewhere", descriptor).isNotEmpty();
      return;
    }
    byte[] bytes = content.get();
    assertThat(bytes).as("%s", descriptor).hasSize((int) descriptor.size());
    assertThat(descriptor.digest().matches(bytes)).as("%s", descriptor).isTrue();
    if (!descriptor.data().isEmpty()) {
      assertThat(Base64.getDecoder().decode(descriptor.data())).isEqualTo(bytes);
    }
    if (!seen.add(descriptor.digest())) {
      return;
    }
    switch (descriptor.mediaType()) {
      case MediaTypes.OCI_INDEX -> {
        assertThat(ImageSpec.INDEX.violations(bytes)).isEmpty();
        for (Descriptor child : OciJson.index(bytes).manifests()) {
          reach(child);
        }
      }
      case MediaTypes.OCI_MANIFEST -> {
        assertThat(ImageSpec.MANIFEST.violations(bytes)).isEmpty();
        ImageManifest manifest = OciJson.manifest(bytes);
        reach(manifest.config());
        for (Descriptor layer : manifest.layers()) {
          reach(layer);
        }
      }
      case MediaTypes.OCI_CONFIG -> assertThat(ImageSpec.CONFIG.violations(bytes)).isEmpty();
      default ->
          assertThat(
                  MediaTypes.isIndex(descriptor.mediaType())
                      || MediaTypes.isManifest(descriptor.mediaType()))
              .as("Docker's document in an OCI index: %s", descriptor)
              .isFalse();
    }
  }

  private void configsAndLayersAreThoseOfTheSource() throws IOException {
    assertThat(after.images).hasSameSizeAs(before.images);
    for (int i = 0; i < before.images.size(); i++) {
      ImageManifest then = before.manifest(before.images.get(i));
      ImageManifest now = after.manifest(after.images.get(i));
      assertThat(now.config().digest()).isEqualTo(then.config().digest());
      assertThat(now.layers()).isEqualTo(then.layers());
      assertThat(now.subject()).isEqualTo(then.subject());
      assertThat(now.annotations()).containsAllEntriesOf(then.annotations());
      for (Descriptor layer : then.layers()) {
        Optional<byte[]> old = source.find(layer.digest());
        assertThat(made.find(layer.digest()).isPresent()).isEqualTo(old.isPresent());
      }
    }
  }

  private void everythingElseIsCarriedOver() {
    Map<String, String> replaced = new HashMap<>();
    for (int i = 0; i < before.images.size(); i++) {
      replaced.put(
          before.images.get(i).digest().toString(), after.images.get(i).digest().toString());
    }
    List<Descriptor> expected = new ArrayList<>();
    for (Descriptor other : before.others) {
      Map<String, String> annotations = new LinkedHashMap<>(other.annotations());
      annotations.computeIfPresent(ABOUT, (_, about) -> replaced.getOrDefault(about, about));
      expected.add(other.withAnnotations(annotations));
    }
    assertThat(after.others).isEqualTo(expected);
  }

  private void everyImageHasItsIndex(String said) throws IOException {
    Map<String, Descriptor> byImage = new HashMap<>();
    for (Descriptor index : after.indexes) {
      byImage.put(index.annotations().get(SociTerms.MANIFEST_DIGEST_KEY), index);
    }
    assertThat(byImage).hasSameSizeAs(after.indexes);
    for (Descriptor image : after.images) {
      Descriptor entry = byImage.remove(image.digest().toString());
      assertThat(entry).as("the index of %s", image).isNotNull();
      assertThat(entry.platform()).isEqualTo(image.platform()).isNotNull();
      ImageManifest manifest = after.manifest(image);
      assertThat(manifest.annotations())
          .containsEntry(SociTerms.INDEX_DIGEST_KEY, entry.digest().toString());
      fits(SociIndex.read(made.read(entry.digest())), manifest, said);
    }
    assertThat(byImage).isEmpty();
  }

  /** In the order of the layers, each has a zTOC that fits, or was said to have none. */
  private void fits(SociIndex index, ImageManifest manifest, String said) {
    List<Digest> expected = new ArrayList<>();
    for (Descriptor layer : manifest.layers()) {
      if (said.contains("layer " + layer.digest() + " -> ztoc ")) {
        expected.add(layer.digest());
      } else {
        assertThat(said).contains("ztoc skipped - layer " + layer.digest());
      }
    }
    assertThat(index.ztocs().stream().map(SociIndex.LayerZtoc::layer)).isEqualTo(expected);
    for (SociIndex.LayerZtoc ztoc : index.ztocs()) {
      String layer = made.path(ztoc.layer()).toString();
      RunSoci.Ended ended =
          RunSoci.soci("ztoc", "verify", layer, made.path(ztoc.ztoc()).toString());
      assertThat(ended.failure()).isEmpty();
    }
  }
}
