package dev.socifleet.cli.index;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.Interruptible;
import dev.socifleet.cli.TimeLimit;
import dev.socifleet.cli.build.BuildOutput;
import dev.socifleet.cli.build.IndexOptions;
import dev.socifleet.cli.build.OutputOptions;
import dev.socifleet.cli.build.PlatformOptions;
import dev.socifleet.cli.remote.RegistryOptions;
import dev.socifleet.cli.remote.RemoteImage;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.ImageReference;
import dev.socifleet.oci.Repository;
import dev.socifleet.sociindex.PlatformChoice;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code soci index create}: builds and publishes indexes with nothing but a registry. */
@Command(
    name = "create",
    mixinStandardHelpOptions = true,
    description = {
      "Build an image's SOCI indexes and publish them, straight at the registry.",
      "Needs no containerd and no root. Layers are read as a stream; nothing is stored on disk.",
      "v1: an index for each platform, which refers to the image. v2: a second image, with the "
          + "same layers, that carries its indexes. Signatures, SBOMs and whatever else refers to "
          + "the image stay with it; --copy-referrers gives them to the second image, too."
    },
    footer = {
      "",
      "Examples:",
      "  soci index create registry.example/team/app:1.0",
      "  soci index create --dry-run --platform linux/arm64 registry.example/app:1.0",
      "  soci index create --tag-template '{tag}-lazy' localhost:5000/app:1",
      "  soci index create --copy-referrers registry.example/team/app:1.0"
    })
final class IndexCreateCommand implements Callable<Integer> {
  private static final int USAGE = 2;

  /** Which indexes are published. */
  enum Version {
    v1,
    v2,
    both
  }

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private PlatformOptions platforms = new PlatformOptions();
  @Mixin private IndexOptions index = new IndexOptions();
  @Mixin private RegistryOptions registry = new RegistryOptions();
  @Mixin private OutputOptions form = new OutputOptions();
  @Mixin private TimeLimit limit = new TimeLimit();

  @Parameters(paramLabel = "REF", description = "The image, e.g. registry.example/team/app:1.0.")
  private String reference = "";

  @Option(
      names = "--index-version",
      paramLabel = "v1|v2|both",
      defaultValue = "both",
      description = "Which indexes to publish (${DEFAULT-VALUE}).")
  private Version version = Version.both;

  @Option(
      names = "--tag-template",
      paramLabel = "TEXT",
      defaultValue = "{tag}-soci",
      description = "The tag of the v2 image; {tag} is the image's (${DEFAULT-VALUE}).")
  private String tagTemplate = "{tag}-soci";

  @Option(
      names = "--copy-referrers",
      description = {
        "Copy what refers to the image and its platforms (signatures, SBOMs, …; no SOCI indexes) to "
            + "the v2 image. A signature is one of the old digest, and doesn't verify for the new."
      })
  private boolean copyReferrers;

  @Option(
      names = "--referrer-type",
      paramLabel = "TYPE",
      description = "Copy only this artifact type, e.g. application/spdx+json; repeatable (all).")
  private Set<String> referrerTypes = new LinkedHashSet<>();

  @Option(
      names = "--dry-run",
      description = "Say what would be done; read no layer, write nothing.")
  private boolean dryRun;

  @Override
  public Integer call() throws Exception {
    RegistryIndexRequest request = request();
    BuildOutput output = form.open(spec);
    try (HttpRegistries registries = registry.open(request.image())) {
      Repository repository = registries.repository(request.image().repository());
      Interruptible.run(
          "building the index",
          limit.duration(),
          () -> {
            if (dryRun) {
              new RegistryPlan(repository, output).print(request);
            } else {
              new RegistryIndexing(repository, output).run(request);
            }
            return true;
          });
      return 0;
    } finally {
      output.erase();
    }
  }

  private RegistryIndexRequest request() {
    ImageReference image = RemoteImage.parse(reference);
    return new RegistryIndexRequest(
        image,
        platforms.choice(new PlatformChoice.All()),
        index.rules(),
        version != Version.v2,
        version == Version.v1 ? Optional.empty() : Optional.of(v2Tag(image)),
        referrers());
  }

  private Optional<Set<String>> referrers() {
    boolean wanted = copyReferrers || !referrerTypes.isEmpty();
    if (wanted && version == Version.v1) {
      throw new CommandFailure(
          "--copy-referrers is for v2: v1 leaves the image as it is, with all that refers to it",
          USAGE);
    }
    return wanted ? Optional.of(referrerTypes) : Optional.empty();
  }

  private String v2Tag(ImageReference image) {
    String tag = image.tag();
    if (tag == null && tagTemplate.contains("{tag}")) {
      throw new CommandFailure(
          reference
              + " has no tag of which v2's could be made: give --tag-template a whole tag,"
              + " or --index-version v1",
          USAGE);
    }
    String made = tagTemplate.replace("{tag}", tag == null ? "" : tag);
    if (!ImageReference.isTag(made)) {
      throw new CommandFailure("--tag-template gives '" + made + "', which is no tag", USAGE);
    }
    return made;
  }
}
