package dev.socifleet.cli.ztoc;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.socifleet.cli.CommandFailure;
import dev.socifleet.ztoc.Compression;
import dev.socifleet.ztoc.ZtocBuilder;
import dev.socifleet.ztoc.ZtocOptions;
import dev.socifleet.ztoc.ZtocOutcome;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.PushbackInputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code soci ztoc build}: the zTOC of a layer in a file. */
@Command(
    name = "build",
    mixinStandardHelpOptions = true,
    description = {
      "Build the zTOC of a layer: a tar, as it is or compressed with gzip.",
      "It is the same, to the byte, that indexing an image with this layer gives."
    },
    footer = {
      "",
      "Examples:",
      "  soci ztoc build layer.tar.gz --output layer.ztoc",
      "  tar cz usr | soci ztoc build - --json"
    })
final class BuildCommand implements Callable<Integer> {
  private static final int MAGIC = 4;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(index = "0", paramLabel = "FILE", description = "The layer; - for standard input.")
  private Path layer = Path.of("");

  @Option(
      names = "--span-size",
      paramLabel = "BYTES",
      defaultValue = "" + ZtocOptions.DEFAULT_SPAN_SIZE,
      description =
          "Uncompressed bytes from one checkpoint to the next, at least (${DEFAULT-VALUE}).")
  private long spanSize;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "Where to write the zTOC. Without it, the zTOC is only described.")
  private @Nullable Path output;

  @Option(
      names = "--max-size",
      paramLabel = "BYTES",
      defaultValue = "" + ZtocOptions.DEFAULT_MAX_ZTOC_BYTES,
      description = {
        "Refuse layers whose zTOC would be larger (${DEFAULT-VALUE}).",
        "Building takes about three times as much memory."
      })
  private long maxSize;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    ZtocOptions options = options();
    ZtocOutcome outcome;
    if (layer.toString().equals("-")) {
      outcome = build(System.in, options);
    } else {
      try (FileChannel file = PlainFiles.layer(layer);
          InputStream in = Channels.newInputStream(file)) {
        outcome = build(in, options);
      }
    }
    // A process's first switch over types takes 25 ms.
    if (outcome instanceof ZtocOutcome.NotIndexable(String reason)) {
      throw new CommandFailure(layer + " cannot be indexed: " + reason);
    }
    ZtocOutcome.Built built = (ZtocOutcome.Built) outcome;
    Path written = output;
    if (written != null) {
      PlainFiles.write(
          written,
          file -> {
            ByteBuffer bytes = ByteBuffer.wrap(built.bytes());
            while (bytes.hasRemaining()) {
              file.write(bytes);
            }
          });
    }
    print(built);
    return 0;
  }

  private ZtocOptions options() {
    try {
      return ZtocOptions.ofSpanSize(spanSize).withMaxZtocBytes(maxSize);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage());
    }
  }

  private ZtocOutcome build(InputStream in, ZtocOptions options) {
    try {
      PushbackInputStream stream = new PushbackInputStream(in, MAGIC);
      byte[] first = stream.readNBytes(MAGIC);
      stream.unread(first);
      Compression compression = PlainFiles.compression(layer, first);
      return ZtocBuilder.build(stream, compression, options);
    } catch (IOException e) {
      throw PlainFiles.failure("read layer", layer, e);
    }
  }

  private void print(ZtocOutcome.Built built) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      ObjectNode object =
          new JsonMapper()
              .createObjectNode()
              .put("digest", built.digest())
              .put("size", built.bytes().length)
              .put("spanSize", spanSize)
              .put("spans", built.spans())
              .put("files", built.files())
              .put("compressedSize", built.compressedBytes())
              .put("uncompressedSize", built.uncompressedBytes());
      if (output != null) {
        object.put("output", output.toString());
      }
      out.println(object);
    } else {
      out.printf(Locale.ROOT, "%s%n", built.digest());
      out.printf(
          Locale.ROOT,
          "%,d bytes, for a layer of %,d bytes (%,d uncompressed): %,d files, %,d spans%n",
          built.bytes().length,
          built.compressedBytes(),
          built.uncompressedBytes(),
          built.files(),
          built.spans());
      if (output != null) {
        out.printf(Locale.ROOT, "written to %s%n", output);
      }
    }
    out.flush();
  }
}
