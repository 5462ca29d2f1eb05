package dev.socifleet.cli.referrers;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.Interruptible;
import dev.socifleet.cli.TimeLimit;
import dev.socifleet.cli.build.BuildOutput;
import dev.socifleet.cli.build.OutputOptions;
import dev.socifleet.cli.remote.RegistryOptions;
import dev.socifleet.cli.remote.RemoteImage;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.ImageReference;
import dev.socifleet.sociindex.publish.Successors;
import dev.socifleet.sociindex.publish.Successors.Successor;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code soci referrers copy}: for images that were converted elsewhere and pushed. */
@Command(
    name = "copy",
    mixinStandardHelpOptions = true,
    description = {
      "Copy an image's signatures, SBOMs and other referrers to the image that was made of it.",
      "For images of soci convert, once they are pushed; soci index create does the same with "
          + "--copy-referrers. What refers to the image and what refers to its platforms is copied, "
          + "with another subject, and what refers to that in turn; blobs come along, mounted where "
          + "the registry can. SOCI indexes stay: the converted image has its own. What an artifact says "
          + "inside isn't changed: a signature is one of the old digest and doesn't verify for the new."
    },
    footer = {
      "",
      "Examples:",
      "  soci referrers copy registry.example/app:1.0 registry.example/app:1.0-soci",
      "  soci referrers copy --type application/spdx+json \\",
      "    registry.example/app:1.0 registry.example/app:1.0-soci"
    })
final class ReferrersCopyCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private RegistryOptions registry = new RegistryOptions();
  @Mixin private OutputOptions form = new OutputOptions();
  @Mixin private TimeLimit limit = new TimeLimit();

  @Parameters(index = "0", paramLabel = "SOURCE", description = "The image as it was.")
  private String source = "";

  @Parameters(index = "1", paramLabel = "CONVERTED", description = "The image made of it.")
  private String converted = "";

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      description = "Copy only this artifact type, e.g. application/spdx+json; repeatable (all).")
  private Set<String> types = new LinkedHashSet<>();

  @Option(names = "--dry-run", description = "Say what would be copied; write nothing.")
  private boolean dryRun;

  @Override
  public Integer call() throws Exception {
    ImageReference from = RemoteImage.parse(source);
    ImageReference to = RemoteImage.parse(converted);
    BuildOutput output = form.open(spec);
    try (HttpRegistries sources = registry.open(from);
        HttpRegistries targets = registry.open(to)) {
      Interruptible.run(
          "copying the referrers",
          limit.duration(),
          () -> {
            copy(
                RemoteImage.find(sources.repository(from.repository()), from),
                RemoteImage.find(targets.repository(to.repository()), to),
                output);
            return true;
          });
      return 0;
    }
  }

  private void copy(RemoteImage from, RemoteImage to, BuildOutput output) throws IOException {
    List<Successor> successors =
        Successors.between(from.target(), from.documents(), to.target(), to.documents());
    if (successors.isEmpty() && !from.target().digest().equals(to.target().digest())) {
      throw new CommandFailure(
          to.reference()
              + " wasn't made of "
              + from.reference()
              + ": no platform has the same config and layers in both");
    }
    ObjectNode json = new JsonMapper().createObjectNode();
    json.put("source", from.target().digest().toString())
        .put("image", to.target().digest().toString());
    CopiedReferrers copies = new CopiedReferrers(output, json.putArray("referrers"));
    if (dryRun) {
      copies.plan(
          from.repository(),
          types,
          new LinkedHashSet<>(successors.stream().map(Successor::old).toList()));
    } else {
      copies.copy(from.repository(), to.repository(), types, successors);
    }
    output.result(to.target().digest().toString(), json);
  }
}
