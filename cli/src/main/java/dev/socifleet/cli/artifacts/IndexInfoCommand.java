package dev.socifleet.cli.artifacts;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.store.Artifact;
import dev.socifleet.cli.store.LocalOptions;
import dev.socifleet.cli.store.LocalStores;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.OciJson;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code soci index info}. */
@Command(
    name = "info",
    mixinStandardHelpOptions = true,
    description = "Print a SOCI index's manifest.",
    footer = {"", "Example:", "  soci index info $(soci index list -q | head -n1)"})
public final class IndexInfoCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private LocalOptions local = new LocalOptions();

  @Parameters(paramLabel = "DIGEST", description = "The index's digest.")
  private String digest = "";

  @Override
  public Integer call() throws Exception {
    Digest wanted = Digests.parse(digest);
    try (LocalStores stores = local.open(spec)) {
      Optional<Artifact> known = stores.catalogue().find(wanted);
      if (known.isPresent() && known.get().type() == Artifact.Type.ZTOC) {
        throw new CommandFailure(
            "the provided digest is of a zTOC, not of a SOCI index; use soci ztoc info " + wanted);
      }
      Artifact index = Digests.find(stores.catalogue(), digest, Artifact.Type.INDEX);
      byte[] manifest = stores.artifacts().read(index.digest(), OciJson.LARGEST_MANIFEST);
      spec.commandLine()
          .getOut()
          .println(IndentedJson.of(new String(manifest, StandardCharsets.UTF_8)));
      spec.commandLine().getOut().flush();
    }
    return 0;
  }
}
