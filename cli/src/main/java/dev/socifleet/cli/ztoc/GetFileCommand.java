package dev.socifleet.cli.ztoc;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.artifacts.StoredZtocs;
import dev.socifleet.cli.store.LocalOptions;
import dev.socifleet.cli.store.LocalStores;
import dev.socifleet.containerd.ContentStore;
import dev.socifleet.ztoc.LayerReader;
import dev.socifleet.ztoc.SpanReader;
import dev.socifleet.ztoc.Toc;
import dev.socifleet.ztoc.Ztoc;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code soci ztoc get-file}: one file of a layer, of which only its spans are read. */
@Command(
    name = "get-file",
    mixinStandardHelpOptions = true,
    description = {
      "Read one file of a layer, through its zTOC: only the spans that have it are decompressed.",
      "Its bytes go to standard output, exactly, or into a file."
    },
    footer = {
      "",
      "Examples:",
      "  soci ztoc get-file layer.ztoc etc/os-release --layer layer.tar.gz",
      "  soci ztoc get-file layer.ztoc usr/bin/ls --layer layer.tar.gz -o ls",
      "  soci ztoc get-file sha256:… usr/bin/ls -o ls"
    })
final class GetFileCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private LocalOptions local = new LocalOptions();

  @Parameters(
      index = "0",
      paramLabel = "ZTOC",
      description = "The zTOC's file, or the digest of one that was built here.")
  private String index = "";

  @Parameters(
      index = "1",
      paramLabel = "PATH",
      description = "The file in the layer. Links are followed.")
  private String name = "";

  @Option(
      names = "--layer",
      paramLabel = "FILE",
      description = "The layer that the zTOC is of; of a digest, containerd's without it.")
  private @Nullable Path layer;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "Where to write it, instead of standard output.")
  private @Nullable Path output;

  @Option(names = "--json", description = "Print one JSON object; needs --output.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    Path target = output;
    if (json && target == null) {
      throw new ParameterException(
          spec.commandLine(), "--json needs --output: standard output is for the file's bytes");
    }
    if (layer == null && !NamedZtoc.isDigest(index)) {
      throw new ParameterException(
          spec.commandLine(), "a zTOC's file needs --layer: it doesn't say where its layer is");
    }
    Ztoc ztoc = NamedZtoc.read(index, local, spec).ztoc();
    Toc toc = ztoc.toc();
    ztoc.whyUnservable()
        .ifPresent(why -> {
          throw new CommandFailure("files of this layer cannot be read through its zTOC: " + why);
        });
    int file = new Lookup(toc).regularFile(name);
    Path from = layer;
    if (from != null) {
      try (FileChannel spans = PlainFiles.layer(from)) {
        extract(ztoc, PlainFiles.spans(spans), file, target);
      }
    } else {
      try (LocalStores stores = local.open(spec)) {
        String blob = new StoredZtocs(stores).layerOf(index).toString();
        ContentStore content = stores.content();
        extract(ztoc, (start, end) -> content.read(blob, start, end), file, target);
      }
    }
    return 0;
  }

  private void extract(Ztoc ztoc, SpanReader.Source spans, int file, @Nullable Path target)
      throws IOException {
    LayerReader reader = new LayerReader(ztoc, spans, Runtime.getRuntime().availableProcessors());
    if (target == null) {
      read(reader, ztoc.toc(), file, System.out);
      System.out.flush();
    } else {
      PlainFiles.write(target, to -> read(reader, ztoc.toc(), file, Channels.newOutputStream(to)));
      tell(ztoc, file, target);
    }
  }

  private void read(LayerReader reader, Toc toc, int file, OutputStream to) {
    try {
      reader.read(toc.offset(file), toc.length(file), to::write);
    } catch (IOException e) {
      throw new CommandFailure(
          "cannot read "
              + name
              + " in "
              + (layer == null ? "the layer of " + index : layer)
              + ": "
              + e.getMessage());
    }
  }

  private void tell(Ztoc ztoc, int file, Path target) {
    Toc toc = ztoc.toc();
    PrintWriter out = spec.commandLine().getOut();
    int first = InfoCommand.firstSpan(ztoc, file);
    int last = InfoCommand.lastSpan(ztoc, file);
    if (json) {
      out.println(
          new JsonMapper()
              .createObjectNode()
              .put("name", toc.nameText(file))
              .put("size", toc.length(file))
              .put("startSpan", first)
              .put("endSpan", last)
              .put("output", target.toString()));
    } else {
      out.printf(Locale.ROOT, "%s: %,d bytes%n", target, toc.length(file));
    }
    out.flush();
  }
}
