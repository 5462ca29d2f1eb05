package dev.socifleet.cli.ztoc;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.cli.CommandFailure;
import dev.socifleet.ztoc.LayerCheck;
import dev.socifleet.ztoc.Ztoc;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code soci ztoc verify}: whether a zTOC and a layer belong together. */
@Command(
    name = "verify",
    mixinStandardHelpOptions = true,
    description = {
      "Check a zTOC against its layer: every span's digest, every span's bytes, every file.",
      "The layer's own checksums are checked, too."
    },
    footer = {"", "Example:", "  soci ztoc verify layer.tar.gz layer.ztoc"})
final class VerifyCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(index = "0", paramLabel = "FILE", description = "The layer.")
  private Path layer = Path.of("");

  @Parameters(index = "1", paramLabel = "ZTOC", description = "Its zTOC.")
  private Path index = Path.of("");

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads that read spans (as many as there are processors).")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Override
  public Integer call() {
    Ztoc ztoc = PlainFiles.ztoc(index).ztoc();
    try (FileChannel spans = PlainFiles.layer(layer);
        InputStream bytes = Files.newInputStream(layer)) {
      LayerCheck.check(ztoc, bytes, PlainFiles.spans(spans), Math.max(1, threads));
    } catch (IOException e) {
      throw new CommandFailure(layer + " does not fit " + index + ": " + e.getMessage());
    }
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(
          new JsonMapper()
              .createObjectNode()
              .put("ok", true)
              .put("spans", ztoc.spanCount())
              .put("files", ztoc.toc().size())
              .put("compressedSize", ztoc.compressedSize())
              .put("uncompressedSize", ztoc.uncompressedSize())
              .put("servable", ztoc.whyUnservable().isEmpty())
              .put("whyUnservable", ztoc.whyUnservable().orElse("")));
    } else {
      out.printf(
          Locale.ROOT,
          "ok: %,d spans and %,d files are those of the layer%n",
          ztoc.spanCount(),
          ztoc.toc().size());
      ztoc.whyUnservable()
          .ifPresent(why -> out.println("a node will not serve it, but unpack the layer: " + why));
    }
    out.flush();
    return 0;
  }
}
