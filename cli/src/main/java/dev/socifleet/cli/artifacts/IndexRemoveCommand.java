package dev.socifleet.cli.artifacts;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.store.Artifact;
import dev.socifleet.cli.store.LocalOptions;
import dev.socifleet.cli.store.LocalStores;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code soci index remove}. */
@Command(
    name = "remove",
    aliases = "rm",
    mixinStandardHelpOptions = true,
    description = "Remove SOCI indexes from this machine; their zTOCs stay.",
    footer = {
      "",
      "Examples:",
      "  soci index remove sha256:…",
      "  soci index remove --ref registry.example/app:1.0"
    })
public final class IndexRemoveCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private LocalOptions local = new LocalOptions();

  @Parameters(arity = "0..*", paramLabel = "DIGEST", description = "The indexes' digests.")
  private List<String> digests = new ArrayList<>();

  @Option(names = "--ref", paramLabel = "REF", description = "All of this image.")
  private @Nullable String reference;

  @Override
  public Integer call() throws Exception {
    if (digests.isEmpty() == (reference == null)) {
      throw new CommandFailure(
          "please provide either index digests or --ref with an image, but not both", 2);
    }
    try (LocalStores stores = local.open(spec)) {
      List<Artifact> doomed = new ArrayList<>();
      if (reference != null) {
        String target = stores.image(reference).getTarget().getDigest();
        for (Artifact index : stores.catalogue().all(Artifact.Type.INDEX)) {
          if (index.image().equals(target)) {
            doomed.add(index);
          }
        }
      }
      for (String digest : digests) {
        doomed.add(Digests.find(stores.catalogue(), digest, Artifact.Type.INDEX));
      }
      for (Artifact index : doomed) {
        remove(stores, index);
      }
    }
    return 0;
  }

  private static void remove(LocalStores stores, Artifact index) throws IOException {
    stores.artifacts().delete(index.digest());
    stores.catalogue().remove(index.digest());
  }
}
