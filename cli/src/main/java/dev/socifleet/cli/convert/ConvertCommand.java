package dev.socifleet.cli.convert;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.Interruptible;
import dev.socifleet.cli.Soci;
import dev.socifleet.cli.build.BuildOutput;
import dev.socifleet.cli.build.IndexOptions;
import dev.socifleet.cli.build.OutputOptions;
import dev.socifleet.cli.build.PlatformOptions;
import dev.socifleet.cli.layout.ArchiveOutput;
import dev.socifleet.cli.layout.DirectoryOutput;
import dev.socifleet.cli.layout.LayoutOutput;
import dev.socifleet.cli.store.LocalOptions;
import dev.socifleet.cli.store.LocalStores;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code soci convert}: makes an image that carries its SOCI indexes. */
@Command(
    name = "convert",
    mixinStandardHelpOptions = true,
    description = {
      "Make an image that carries its SOCI indexes (v2): its nodes start it lazily.",
      "Layers and configs stay as they are; manifests get new digests, which are printed.",
      "Signatures, SBOMs and other referrers are at the registry, not in containerd or a layout: "
          + "once the new image is pushed, soci referrers copy IMAGE DESTINATION gives them to it."
    },
    footer = {
      "",
      "Examples:",
      "  soci convert --all-platforms localhost:5000/app:1 localhost:5000/app:1-soci",
      "  soci convert --standalone app.tar app-soci.tar",
      "  skopeo copy docker://registry.example/app:1 oci:app",
      "  soci convert --standalone --all-platforms --format oci-dir app app-soci"
    })
public final class ConvertCommand implements Callable<Integer> {
  private static final String WHAT = "the conversion";

  @Spec private CommandSpec spec = CommandSpec.create();
  @ParentCommand private @Nullable Soci soci;
  @Mixin private LocalOptions local = new LocalOptions();
  @Mixin private PlatformOptions platforms = new PlatformOptions();
  @Mixin private IndexOptions index = new IndexOptions();
  @Mixin private OutputOptions form = new OutputOptions();

  @Parameters(index = "0", paramLabel = "IMAGE", description = "The image, or a layout.")
  private String source = "";

  @Parameters(index = "1", paramLabel = "DESTINATION", description = "The image or layout to make.")
  private String destination = "";

  @Option(
      names = "--standalone",
      description = "Read and write OCI layouts, as directories or tars; no containerd.")
  private boolean standalone;

  @Option(
      names = "--format",
      paramLabel = "oci-archive|oci-dir",
      defaultValue = "oci-archive",
      description = "What --standalone writes (${DEFAULT-VALUE}).")
  private String format = "oci-archive";

  @Option(
      names = "--digest-map",
      paramLabel = "FILE",
      description = "Write old and new digests to this file, as JSON.")
  private @Nullable Path digestMap;

  @Override
  public Integer call() throws Exception {
    ConversionRequest request =
        new ConversionRequest(platforms.choice(PlatformOptions.standard()), index.rules());
    checkDigestMap();
    BuildOutput output = form.open(spec);
    try {
      ConversionResult result = standalone ? layouts(request, output) : images(request, output);
      if (digestMap != null) {
        Files.writeString(digestMap, result.json().toPrettyString() + "\n");
      }
      result.print(output);
      return 0;
    } finally {
      output.erase();
    }
  }

  /** Before the work: once the image is there, it would be too late. */
  private void checkDigestMap() {
    if (digestMap == null) {
      return;
    }
    Path parent = digestMap.toAbsolutePath().getParent();
    if (parent == null || !Files.isWritable(parent) || Files.isDirectory(digestMap)) {
      throw new CommandFailure(
          "cannot write "
              + digestMap
              + ", which --digest-map names; name a file in a directory that is there and yours");
    }
  }

  private ConversionResult layouts(ConversionRequest request, BuildOutput output) throws Exception {
    return Interruptible.run(
        WHAT,
        local.timeout(soci),
        () -> new StandaloneConversion(output).run(Path.of(source), layout(), request));
  }

  private ConversionResult images(ConversionRequest request, BuildOutput output) throws Exception {
    try (LocalStores stores = local.open(soci)) {
      return Interruptible.run(
          WHAT,
          stores.timeout(),
          () -> new ContainerdConversion(stores, output).run(source, destination, request));
    }
  }

  private LayoutOutput layout() {
    return switch (format) {
      case "oci-archive" -> new ArchiveOutput(Path.of(destination));
      case "oci-dir" -> new DirectoryOutput(Path.of(destination));
      default ->
          throw new CommandFailure(
              "--format knows oci-archive and oci-dir, not '" + format + "'", 2);
    };
  }
}
