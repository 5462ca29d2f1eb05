package dev.socifleet.cli.rpull;

import dev.socifleet.cli.rpull.FoundImage.Document;
import dev.socifleet.cli.store.GcLabels;
import dev.socifleet.containerd.BlobWriter;
import dev.socifleet.containerd.ContentStore;
import dev.socifleet.containerd.content.v1.Info;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.MalformedDocumentException;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.RepositoryName;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * Writes an image's documents into containerd's content store, with the labels that containerd's
 * own client gives them: what each refers to, so that the garbage collector keeps it, and where it
 * came from. As there, blobs that aren't here are referred to as well; one that comes later is kept
 * then.
 */
final class Documents {
  private static final String REFERS = "containerd.io/gc.ref.content.";
  private static final String SOURCE = "containerd.io/distribution.source.";

  private final ContentStore store;
  private final RepositoryName repository;

  Documents(ContentStore store, RepositoryName repository) {
    this.store = store;
    this.repository = repository;
  }

  /** Writes all of them, what is referred to first. */
  void write(FoundImage image) throws IOException {
    write(image.config(), Map.of());
    for (Document document : image.documents().reversed()) {
      write(document, references(document));
    }
  }

  private void write(Document document, Map<String, String> references) throws IOException {
    String digest = document.descriptor().digest().toString();
    String ref = document.kind().name().toLowerCase(Locale.ROOT) + "-" + digest;
    Map<String, String> labels = new LinkedHashMap<>(references);
    Optional<BlobWriter> missing = store.write(ref, digest, document.bytes().length);
    if (missing.isPresent()) {
      try (BlobWriter writer = missing.get()) {
        int written = Math.toIntExact(writer.offset());
        writer.write(document.bytes(), written, document.bytes().length - written);
        labels.putAll(source(digest));
        writer.commit(labels);
      }
    } else {
      labels.putAll(source(digest));
      store.label(digest, labels);
    }
  }

  private static Map<String, String> references(Document document)
      throws MalformedDocumentException {
    Map<String, String> labels = new LinkedHashMap<>();
    switch (document.kind()) {
      case INDEX -> {
        int manifests = 0;
        int others = 0;
        for (Descriptor entry : OciJson.index(document.bytes()).manifests()) {
          String key =
              MediaTypes.isManifest(entry.mediaType())
                  ? REFERS + "m." + manifests++
                  : REFERS + others++;
          labels.put(key, entry.digest().toString());
        }
      }
      case MANIFEST -> labels.putAll(GcLabels.of(OciJson.manifest(document.bytes())));
      case CONFIG -> {
        // Its snapshots are named when they are there.
      }
    }
    return labels;
  }

  /**
   * Says that a blob can be pulled from the repository, beside others of the same registry where it
   * was said before.
   */
  Map<String, String> source(String digest) throws IOException {
    String key = SOURCE + repository.registry();
    String known = store.info(digest).map(Info::getLabelsMap).map(l -> l.get(key)).orElse("");
    TreeSet<String> names = new TreeSet<>(Arrays.asList(known.split(",", -1)));
    names.remove("");
    names.add(repository.name());
    String value = String.join(",", names);
    return LayerLabels.fits(key, value) ? Map.of(key, value) : Map.of();
  }
}
