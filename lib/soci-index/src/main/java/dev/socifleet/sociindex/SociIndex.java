package dev.socifleet.sociindex;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.MalformedDocumentException;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A SOCI index: the zTOCs of one image manifest's layers, base layer first. Written as an OCI
 * manifest whose config media type tells the version; a v1 index names its image as subject, a v2
 * index is named by its image.
 *
 * <p>Readers that exist re-encode an index and compare digests, so it is written in one form only:
 * no artifactType, no other field.
 */
public record SociIndex(
    Version version,
    List<LayerZtoc> ztocs,
    List<LayerPrefetch> prefetches,
    @Nullable Descriptor subject,
    String buildTool) {
  public enum Version {
    V1(SociTerms.V1_TYPE),
    V2(SociTerms.V2_TYPE);

    private final String type;

    Version(String type) {
      this.type = type;
    }

    /** The config's media type, which is the artifact type in a descriptor of the index. */
    public String type() {
      return type;
    }
  }

  /**
   * The zTOC of a layer. Sizes in bytes.
   *
   * @param xattrsDisabled whether readers may be told that no file of it has extended attributes
   */
  public record LayerZtoc(
      Digest layer,
      String layerMediaType,
      Digest ztoc,
      long ztocSize,
      long spanSize,
      boolean xattrsDisabled) {
    public LayerZtoc(
        Digest layer, String layerMediaType, Digest ztoc, long ztocSize, long spanSize) {
      this(layer, layerMediaType, ztoc, ztocSize, spanSize, false);
    }
  }

  /** The spans of a layer that are wanted first: a {@link PrefetchArtifact}. Size in bytes. */
  public record LayerPrefetch(Digest layer, Digest artifact, long size) {}

  public SociIndex {
    ztocs = List.copyOf(ztocs);
    prefetches = List.copyOf(prefetches);
    if (version == Version.V1 && subject == null) {
      throw new IllegalArgumentException("a v1 index needs the image it belongs to");
    }
  }

  public static SociIndex v1(List<LayerZtoc> ztocs, Descriptor image) {
    return new SociIndex(
        Version.V1,
        ztocs,
        List.of(),
        Descriptor.of(image.mediaType(), image.digest(), image.size()),
        SociTerms.BUILD_TOOL);
  }

  public static SociIndex v2(List<LayerZtoc> ztocs) {
    return new SociIndex(Version.V2, ztocs, List.of(), null, SociTerms.BUILD_TOOL);
  }

  public SociIndex withPrefetches(List<LayerPrefetch> newPrefetches) {
    return new SociIndex(version, ztocs, newPrefetches, subject, buildTool);
  }

  /** The index as it is stored. */
  public ManifestBlob manifest() {
    List<Descriptor> layers = new ArrayList<>();
    for (LayerZtoc ztoc : ztocs) {
      layers.add(
          Descriptor.of(SociTerms.ZTOC_TYPE, ztoc.ztoc(), ztoc.ztocSize())
              .withAnnotations(annotations(ztoc)));
    }
    for (LayerPrefetch prefetch : prefetches) {
      layers.add(
          Descriptor.of(SociTerms.PREFETCH_TYPE, prefetch.artifact(), prefetch.size())
              .withAnnotations(Map.of(SociTerms.LAYER_DIGEST_KEY, prefetch.layer().toString())));
    }
    byte[] bytes =
        OciJson.write(
            new ImageManifest(
                MediaTypes.OCI_MANIFEST,
                "",
                Descriptor.of(
                    version.type(), SociTerms.emptyConfigDigest(), SociTerms.emptyConfig().length),
                layers,
                subject,
                Map.of(SociTerms.BUILD_TOOL_KEY, buildTool)));
    return new ManifestBlob(MediaTypes.OCI_MANIFEST, Digest.of(bytes), bytes);
  }

  private static Map<String, String> annotations(LayerZtoc ztoc) {
    Map<String, String> annotations = new LinkedHashMap<>();
    annotations.put(SociTerms.LAYER_DIGEST_KEY, ztoc.layer().toString());
    annotations.put(SociTerms.LAYER_TYPE_KEY, ztoc.layerMediaType());
    annotations.put(SociTerms.SPAN_SIZE_KEY, Long.toString(ztoc.spanSize()));
    if (ztoc.xattrsDisabled()) {
      annotations.put(SociTerms.DISABLE_XATTRS_KEY, "true");
    }
    return annotations;
  }

  /** Reads an index of either version. */
  public static SociIndex read(byte[] bytes) throws MalformedDocumentException {
    ImageManifest manifest = OciJson.manifest(bytes);
    Version version =
        switch (manifest.config().mediaType()) {
          case SociTerms.V1_TYPE -> Version.V1;
          case SociTerms.V2_TYPE -> Version.V2;
          default ->
              throw new MalformedDocumentException(
                  "not a SOCI index: its config's media type is '"
                      + manifest.config().mediaType()
                      + "'");
        };
    if (version == Version.V1 && manifest.subject() == null) {
      throw new MalformedDocumentException("a SOCI index v1 without subject");
    }
    List<LayerZtoc> ztocs = new ArrayList<>();
    List<LayerPrefetch> prefetches = new ArrayList<>();
    for (Descriptor layer : manifest.layers()) {
      if (layer.mediaType().equals(SociTerms.PREFETCH_TYPE)) {
        prefetches.add(new LayerPrefetch(layerOf(layer), layer.digest(), layer.size()));
      } else {
        ztocs.add(ztoc(layer));
      }
    }
    return new SociIndex(
        version,
        ztocs,
        prefetches,
        manifest.subject(),
        manifest.annotations().getOrDefault(SociTerms.BUILD_TOOL_KEY, ""));
  }

  /** The zTOC of each layer; of a layer listed twice, the later one. */
  public Map<Digest, LayerZtoc> byLayer() {
    Map<Digest, LayerZtoc> map = new LinkedHashMap<>();
    ztocs.forEach(ztoc -> map.put(ztoc.layer(), ztoc));
    return map;
  }

  private static LayerZtoc ztoc(Descriptor descriptor) throws MalformedDocumentException {
    String span =
        descriptor
            .annotations()
            .getOrDefault(SociTerms.SPAN_SIZE_KEY, Long.toString(SociTerms.DEFAULT_SPAN_SIZE));
    try {
      return new LayerZtoc(
          layerOf(descriptor),
          descriptor.annotations().getOrDefault(SociTerms.LAYER_TYPE_KEY, ""),
          descriptor.digest(),
          descriptor.size(),
          Long.parseLong(span),
          "true".equals(descriptor.annotations().get(SociTerms.DISABLE_XATTRS_KEY)));
    } catch (NumberFormatException e) {
      throw new MalformedDocumentException(
          "zTOC " + descriptor.digest() + " of a SOCI index: span size '" + span + "'");
    }
  }

  private static Digest layerOf(Descriptor descriptor) throws MalformedDocumentException {
    try {
      return Digest.parse(descriptor.annotations().getOrDefault(SociTerms.LAYER_DIGEST_KEY, ""));
    } catch (IllegalArgumentException e) {
      throw new MalformedDocumentException(
          "blob " + descriptor.digest() + " of a SOCI index: " + e.getMessage());
    }
  }
}
