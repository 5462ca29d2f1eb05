package dev.socifleet.sociindex.build;

import dev.socifleet.oci.Digest;
import dev.socifleet.sociindex.PrefetchArtifact;
import dev.socifleet.sociindex.PrefetchArtifact.SpanRange;
import dev.socifleet.sociindex.SociIndex.LayerPrefetch;
import dev.socifleet.sociindex.SociIndex.LayerZtoc;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds files that are wanted first: each in the topmost layer whose zTOC has exactly that name, as
 * the existing tool does (whiteouts and links aren't followed). One zTOC is in memory at a time.
 */
final class PrefetchSearch {
  private final ZtocStore ztocs;
  private final BuildListener listener;

  PrefetchSearch(ZtocStore ztocs, BuildListener listener) {
    this.ztocs = ztocs;
    this.listener = listener;
  }

  /** One artifact for each layer that has one of the files, base layer first. */
  List<LayerPrefetch> find(List<String> paths, List<LayerZtoc> layers) throws IOException {
    Set<String> wanted = new LinkedHashSet<>();
    paths.forEach(path -> wanted.add(clean(path)));
    Map<Digest, List<SpanRange>> found = new LinkedHashMap<>();
    for (int i = layers.size() - 1; i >= 0 && !wanted.isEmpty(); i--) {
      LayerZtoc layer = layers.get(i);
      ZtocLookup lookup =
          new ZtocLookup(ztocs.read(new ZtocStore.Known(layer.ztoc(), layer.ztocSize())));
      for (Iterator<String> names = wanted.iterator(); names.hasNext(); ) {
        Optional<SpanRange> spans = lookup.spans(names.next());
        if (spans.isPresent()) {
          found.computeIfAbsent(layer.layer(), digest -> new ArrayList<>()).add(spans.get());
          names.remove();
        }
      }
    }
    wanted.forEach(listener::notFound);
    List<LayerPrefetch> artifacts = new ArrayList<>();
    for (LayerZtoc layer : layers) {
      List<SpanRange> ranges = found.remove(layer.layer());
      if (ranges != null) {
        byte[] bytes = PrefetchArtifact.of(ranges).bytes();
        Digest digest = Digest.of(bytes);
        ztocs.putPrefetch(layer.layer(), digest, bytes);
        listener.prefetch(layer.layer(), digest);
        artifacts.add(new LayerPrefetch(layer.layer(), digest, bytes.length));
      }
    }
    return artifacts;
  }

  /** As an absolute path without {@code .}, {@code ..} and the slash before it. */
  private static String clean(String path) {
    return Path.of("/" + path).normalize().toString().substring(1);
  }
}
