package dev.socifleet.cli.artifacts;

import dev.socifleet.cli.build.PlatformOptions;
import dev.socifleet.cli.store.Artifact;
import dev.socifleet.cli.store.LocalOptions;
import dev.socifleet.cli.store.LocalStores;
import dev.socifleet.containerd.images.v1.Image;
import dev.socifleet.oci.Platform;
import dev.socifleet.oci.Platforms;
import dev.socifleet.sociindex.SociTerms;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code soci index list}. */
@Command(
    name = "list",
    aliases = "ls",
    mixinStandardHelpOptions = true,
    description = "List the SOCI indexes that were built here, the newest first.",
    footer = {"", "Example:", "  soci index list --ref registry.example/app:1.0"})
public final class IndexListCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private LocalOptions local = new LocalOptions();

  @Option(names = "--ref", paramLabel = "REF", description = "Only those of this image.")
  private @Nullable String reference;

  @Option(
      names = {"-q", "--quiet"},
      description = "Only the digests.")
  private boolean quiet;

  @Option(
      names = {"-p", "--platform"},
      paramLabel = "OS/ARCH",
      converter = PlatformOptions.PlatformText.class,
      description = "Only those of this platform; may be repeated.")
  private List<Platform> platforms = new ArrayList<>();

  @Override
  public Integer call() throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    Table table =
        new Table(
            "DIGEST", "SIZE", "IMAGE REF", "PLATFORM", "MEDIA TYPE", "MANIFEST VERSION", "CREATED");
    try (LocalStores stores = local.open(spec)) {
      List<Image> images = stores.imagesIfThere();
      Instant now = Instant.now();
      for (Artifact index : stores.catalogue().all(Artifact.Type.INDEX)) {
        List<String> names = names(index, images);
        if ((reference != null && !names.contains(reference)) || !isWanted(index)) {
          continue;
        }
        if (quiet) {
          out.println(index.digest());
          continue;
        }
        for (String name : names.isEmpty() ? List.of("") : names) {
          table.row(
              index.digest().toString(),
              Long.toString(index.size()),
              name,
              index.platform(),
              index.mediaType(),
              version(index),
              Ages.ago(index.created(), now));
        }
      }
    }
    if (!quiet) {
      table.print(out);
    }
    out.flush();
    return 0;
  }

  private static List<String> names(Artifact index, List<Image> images) {
    return images.stream()
        .filter(image -> image.getTarget().getDigest().equals(index.image()))
        .map(Image::getName)
        .toList();
  }

  private boolean isWanted(Artifact index) {
    return platforms.isEmpty()
        || platforms.stream()
            .anyMatch(platform -> Platforms.text(platform).equals(index.platform()));
  }

  private static String version(Artifact index) {
    return switch (index.artifactType()) {
      case SociTerms.V1_TYPE -> "v1";
      case SociTerms.V2_TYPE -> "v2";
      default -> "";
    };
  }
}
