package dev.socifleet.cli.artifacts;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.socifleet.cli.store.Artifact;
import dev.socifleet.cli.store.LocalOptions;
import dev.socifleet.cli.store.LocalStores;
import dev.socifleet.sociindex.PrefetchArtifact;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code soci prefetch list}. */
@Command(
    name = "list",
    aliases = "ls",
    mixinStandardHelpOptions = true,
    description = "List prefetch artifacts, the newest first.")
final class PrefetchListCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private LocalOptions local = new LocalOptions();

  @Option(names = "--json", description = "Print a JSON array.")
  private boolean json;

  @Override
  public Integer call() throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    Table table = new Table("DIGEST", "LAYER DIGEST", "SPANS", "CREATED");
    ArrayNode array = new JsonMapper().createArrayNode();
    try (LocalStores stores = local.open(spec)) {
      Instant now = Instant.now();
      for (Artifact artifact : stores.catalogue().all(Artifact.Type.PREFETCH)) {
        Optional<PrefetchArtifact> read = StoredPrefetch.tryRead(stores, artifact);
        table.row(
            artifact.digest().toString(),
            artifact.of().toString(),
            read.map(spans -> Long.toString(spans.spanCount())).orElse("N/A"),
            Ages.ago(artifact.created(), now));
        array
            .addObject()
            .put("Digest", artifact.digest().toString())
            .put("LayerDigest", artifact.of().toString())
            .put("TotalSpans", read.map(PrefetchArtifact::spanCount).orElse(0L))
            .put("CreatedAt", artifact.created().toString());
      }
    }
    if (json) {
      out.println(array.toPrettyString());
      out.flush();
    } else {
      table.print(out);
    }
    return 0;
  }
}
