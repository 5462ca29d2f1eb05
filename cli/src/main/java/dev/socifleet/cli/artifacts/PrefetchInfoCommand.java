package dev.socifleet.cli.artifacts;

import dev.socifleet.cli.store.Artifact;
import dev.socifleet.cli.store.LocalOptions;
import dev.socifleet.cli.store.LocalStores;
import dev.socifleet.sociindex.PrefetchArtifact;
import dev.socifleet.sociindex.PrefetchArtifact.SpanRange;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code soci prefetch info}. */
@Command(
    name = "info",
    mixinStandardHelpOptions = true,
    description = "Print which spans a prefetch artifact names.")
final class PrefetchInfoCommand implements Callable<Integer> {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss", Locale.ROOT);

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private LocalOptions local = new LocalOptions();

  @Parameters(paramLabel = "DIGEST", description = "The artifact's digest.")
  private String digest = "";

  @Option(names = "--json", description = "Print the artifact's own JSON too.")
  private boolean json;

  @Override
  public Integer call() throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    try (LocalStores stores = local.open(spec)) {
      Artifact known = Digests.find(stores.catalogue(), digest, Artifact.Type.PREFETCH);
      PrefetchArtifact spans = StoredPrefetch.read(stores, known);
      out.println("Digest: " + known.digest());
      out.println("Version: 1.0");
      out.println("Span Ranges: " + spans.ranges().size());
      out.println("Layer Digest: " + known.of());
      out.println("Size: " + known.size() + " bytes");
      out.println("Created: " + TIME.format(known.created().atZone(ZoneId.systemDefault())));
      out.println();
      out.println("Prefetch Spans:");
      for (int i = 0; i < spans.ranges().size(); i++) {
        SpanRange range = spans.ranges().get(i);
        out.println(
            "  ["
                + i
                + "] StartSpan: "
                + range.first()
                + ", EndSpan: "
                + range.last()
                + " (covers "
                + range.count()
                + " spans)");
      }
      out.println();
      out.println("Total spans to prefetch: " + spans.spanCount());
      if (json) {
        out.println();
        out.println(
            IndentedJson.of(
                new String(StoredPrefetch.bytes(stores, known), StandardCharsets.UTF_8)));
      }
      out.flush();
    }
    return 0;
  }
}
