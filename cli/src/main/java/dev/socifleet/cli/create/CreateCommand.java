package dev.socifleet.cli.create;

import dev.socifleet.cli.Interruptible;
import dev.socifleet.cli.Soci;
import dev.socifleet.cli.build.BuildOutput;
import dev.socifleet.cli.build.IndexOptions;
import dev.socifleet.cli.build.OutputOptions;
import dev.socifleet.cli.build.PlatformOptions;
import dev.socifleet.cli.store.LocalOptions;
import dev.socifleet.cli.store.LocalStores;
import dev.socifleet.sociindex.PlatformChoice;
import dev.socifleet.sociindex.build.IndexRules;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code soci create}: v1 indexes of an image in containerd, to be pushed with soci push. */
@Command(
    name = "create",
    mixinStandardHelpOptions = true,
    description = {
      "Build the SOCI index (v1) of an image in containerd; soci push publishes it.",
      "Without containerd: soci index create."
    },
    footer = {
      "",
      "Examples:",
      "  ctr image pull --all-platforms registry.example/app:1.0",
      "  soci create registry.example/app:1.0",
      "  soci push registry.example/app:1.0"
    })
public final class CreateCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @ParentCommand private @Nullable Soci soci;
  @Mixin private LocalOptions local = new LocalOptions();
  @Mixin private PlatformOptions platforms = new PlatformOptions();
  @Mixin private IndexOptions index = new IndexOptions();
  @Mixin private OutputOptions form = new OutputOptions();

  @Parameters(paramLabel = "REF", description = "The image's name in containerd.")
  private String reference = "";

  @Override
  public Integer call() throws Exception {
    IndexRules rules = index.rules();
    PlatformChoice choice = platforms.choice(PlatformOptions.standard());
    BuildOutput output = form.open(spec);
    try (LocalStores stores = local.open(soci)) {
      Interruptible.run(
          "building the index",
          stores.timeout(),
          () -> {
            new IndexCreation(stores, output).run(reference, choice, rules);
            return true;
          });
      return 0;
    } finally {
      output.erase();
    }
  }
}
