package dev.socifleet.cli.artifacts;

import dev.socifleet.cli.Interruptible;
import dev.socifleet.cli.store.LocalOptions;
import dev.socifleet.cli.store.LocalStores;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code soci rebuild-db}: makes the catalogue anew from what the stores hold. */
@Command(
    name = "rebuild-db",
    mixinStandardHelpOptions = true,
    description = "Find the SOCI artifacts in the store and list them anew.",
    footer = {"", "Example:", "  soci rebuild-db && soci index list"})
public final class RebuildCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private LocalOptions local = new LocalOptions();

  @Override
  public Integer call() throws Exception {
    try (LocalStores stores = local.open(spec)) {
      return Interruptible.run(
          "rebuilding the catalogue",
          stores.timeout(),
          () -> {
            stores.rebuildCatalogue();
            return 0;
          });
    }
  }
}
