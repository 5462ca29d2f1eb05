package dev.socifleet.cli.store;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.ImageIndex;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.Platform;
import dev.socifleet.oci.Platforms;
import dev.socifleet.sociindex.SociIndex;
import dev.socifleet.sociindex.SociIndex.LayerPrefetch;
import dev.socifleet.sociindex.SociIndex.LayerZtoc;
import dev.socifleet.sociindex.SociTerms;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The labels by which containerd's garbage collector follows references. */
public final class GcLabels {
  private static final String REFERS = "containerd.io/gc.ref.content.";
  private static final String INDEX = REFERS + "soci-index";

  private GcLabels() {}

  /** An index refers to its config, its zTOCs and its prefetch artifacts. */
  public static Map<String, String> of(SociIndex index) {
    Map<String, String> labels = new LinkedHashMap<>();
    labels.put(REFERS + "config", SociTerms.emptyConfigDigest().toString());
    int i = 0;
    for (LayerZtoc ztoc : index.ztocs()) {
      labels.put(REFERS + "ztoc." + i++, ztoc.ztoc().toString());
    }
    for (LayerPrefetch prefetch : index.prefetches()) {
      labels.put(REFERS + "ztoc." + i++, prefetch.artifact().toString());
    }
    return labels;
  }

  /** An image manifest refers to its config and its layers. */
  public static Map<String, String> of(ImageManifest manifest) {
    Map<String, String> labels = new LinkedHashMap<>();
    labels.put(REFERS + "config", manifest.config().digest().toString());
    List<Descriptor> layers = manifest.layers();
    for (int i = 0; i < layers.size(); i++) {
      labels.put(REFERS + "l." + i, layers.get(i).digest().toString());
    }
    return labels;
  }

  /** An image index refers to its manifests. */
  public static Map<String, String> of(ImageIndex index) {
    Map<String, String> labels = new LinkedHashMap<>();
    for (int i = 0; i < index.manifests().size(); i++) {
      labels.put(REFERS + "m." + i, index.manifests().get(i).digest().toString());
    }
    return labels;
  }

  /**
   * An image record refers to the v1 index of a platform: by the existing tool's label, which each
   * platform overwrites, and by one that is the platform's own.
   */
  public static Map<String, String> ofImage(String index, Platform platform) {
    return Map.of(INDEX, index, INDEX + "." + Platforms.text(platform).replace('/', '-'), index);
  }
}
