package dev.socifleet.cli.ztoc;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.cli.store.LocalOptions;
import dev.socifleet.ztoc.Toc;
import dev.socifleet.ztoc.Ztoc;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code soci ztoc info}: the JSON document that the existing tool prints, with its names of fields
 * ({@code build_tool}, {@code num_spans}, …).
 */
@Command(
    name = "info",
    mixinStandardHelpOptions = true,
    description = "Print what a zTOC holds, as JSON: sizes, spans, and all files.",
    footer = {"", "Example:", "  soci ztoc info layer.ztoc | jq .num_spans"})
final class InfoCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private LocalOptions local = new LocalOptions();

  @Parameters(
      index = "0",
      paramLabel = "ZTOC",
      description = "The zTOC's file, or the digest of one that was built here.")
  private String index = "";

  @Option(names = "--json", description = "For scripts that say so: it is JSON anyway.")
  @SuppressWarnings("UnusedVariable") // accepted
  private boolean json;

  @Override
  public Integer call() throws IOException {
    PlainFiles.ZtocFile file = NamedZtoc.read(index, local, spec);
    PrintWriter out = spec.commandLine().getOut();
    JsonGenerator to = new JsonMapper().createGenerator(out);
    to.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
    to.setPrettyPrinter(printer());
    write(to, file.ztoc(), file.bytes().length);
    to.close();
    out.println();
    out.flush();
    return 0;
  }

  private static void write(JsonGenerator to, Ztoc ztoc, int size) throws IOException {
    Toc toc = ztoc.toc();
    to.writeStartObject();
    to.writeStringField("version", ztoc.version());
    to.writeStringField("build_tool", ztoc.buildTool());
    to.writeNumberField("size", size);
    to.writeNumberField("span_size", ztoc.spanSize());
    to.writeNumberField("num_spans", ztoc.spanCount());
    to.writeNumberField("num_files", toc.size());
    int several = 0;
    for (int i = 0; i < toc.size(); i++) {
      several += firstSpan(ztoc, i) == lastSpan(ztoc, i) ? 0 : 1;
    }
    to.writeNumberField("num_multi_span_files", several);
    to.writeArrayFieldStart("files");
    for (int i = 0; i < toc.size(); i++) {
      to.writeStartObject();
      to.writeStringField("filename", toc.nameText(i));
      to.writeNumberField("offset", toc.offset(i));
      to.writeNumberField("size", toc.length(i));
      to.writeStringField("type", toc.type(i).word());
      to.writeNumberField("start_span", firstSpan(ztoc, i));
      to.writeNumberField("end_span", lastSpan(ztoc, i));
      to.writeEndObject();
    }
    to.writeEndArray();
    to.writeEndObject();
  }

  static int firstSpan(Ztoc ztoc, int file) {
    return ztoc.spanAt(ztoc.toc().offset(file));
  }

  /** Of the byte behind the file, as in the existing tool. */
  static int lastSpan(Ztoc ztoc, int file) {
    Toc toc = ztoc.toc();
    return ztoc.spanAt(toc.offset(file) + toc.length(file));
  }

  private static DefaultPrettyPrinter printer() {
    DefaultIndenter indenter = new DefaultIndenter("  ", "\n");
    return new DefaultPrettyPrinter(
            Separators.createDefaultInstance()
                .withObjectFieldValueSpacing(Separators.Spacing.AFTER))
        .withObjectIndenter(indenter)
        .withArrayIndenter(indenter);
  }
}
