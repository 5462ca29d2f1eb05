package dev.socifleet.cli.push;

import dev.socifleet.cli.Interruptible;
import dev.socifleet.cli.Soci;
import dev.socifleet.cli.build.PlatformOptions;
import dev.socifleet.cli.remote.RegistryOptions;
import dev.socifleet.cli.remote.RemoteImage;
import dev.socifleet.cli.store.LocalOptions;
import dev.socifleet.cli.store.LocalStores;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.ImageReference;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code soci push}: publishes the v1 indexes that soci create made. */
@Command(
    name = "push",
    mixinStandardHelpOptions = true,
    description = {
      "Push an image's SOCI indexes (v1) to its registry.",
      "The image stays as it is, and so does what else refers to it: nothing needs to be copied."
    },
    footer = {
      "",
      "Examples:",
      "  soci push registry.example/app:1.0",
      "  soci push --existing-index skip --user ci:secret registry.example/app:1.0"
    })
public final class PushCommand implements Callable<Integer> {
  private static final int STANDARD_UPLOADS = 3;

  @Spec private CommandSpec spec = CommandSpec.create();
  @ParentCommand private @Nullable Soci soci;
  @Mixin private LocalOptions local = new LocalOptions();
  @Mixin private PlatformOptions platforms = new PlatformOptions();
  @Mixin private RegistryOptions registry = new RegistryOptions();

  @Parameters(paramLabel = "REF", description = "The image's name in containerd.")
  private String reference = "";

  @Option(
      names = "--existing-index",
      paramLabel = "warn|skip|allow",
      defaultValue = "warn",
      description = "If the image has an index at the registry (${DEFAULT-VALUE}).")
  private ExistingIndex existing = ExistingIndex.warn;

  @Option(
      names = "--max-concurrent-uploads",
      paramLabel = "N",
      defaultValue = "3",
      description = "Uploads at a time (${DEFAULT-VALUE}).")
  private int uploads = STANDARD_UPLOADS;

  @Option(
      names = {"-q", "--quiet"},
      description = "Print only the digests of the indexes.")
  private boolean quiet;

  // The existing tool takes it and uses it for nothing; nerdctl passes it.
  @Option(names = "--snapshotter", hidden = true)
  @SuppressWarnings("UnusedVariable")
  private @Nullable String snapshotter;

  @Override
  public Integer call() throws Exception {
    ImageReference image = RemoteImage.parse(reference);
    PushOutput output = new PushOutput(spec.commandLine().getOut(), quiet);
    try (LocalStores stores = local.open(soci);
        HttpRegistries registries = registry.open(image)) {
      return Interruptible.run(
          "the push",
          stores.timeout(),
          () -> {
            new IndexPush(
                    stores,
                    registries.repository(image.repository()),
                    output,
                    uploads < 1 ? STANDARD_UPLOADS : uploads)
                .run(reference, platforms.choice(PlatformOptions.standard()), existing);
            return 0;
          });
    }
  }
}
