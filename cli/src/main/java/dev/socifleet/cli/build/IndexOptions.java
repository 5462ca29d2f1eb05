package dev.socifleet.cli.build;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.cli.CommandFailure;
import dev.socifleet.sociindex.build.IndexRules;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How an index is built. */
public final class IndexOptions {
  private static final int USAGE = 2;

  @Option(
      names = "--span-size",
      paramLabel = "BYTES",
      defaultValue = "4194304",
      description = "Uncompressed bytes in a span (${DEFAULT-VALUE}).")
  private long spanSize = IndexRules.STANDARD.spanSize();

  @Option(
      names = "--min-layer-size",
      paramLabel = "BYTES",
      defaultValue = "10485760",
      description = "Smaller layers get no zTOC (${DEFAULT-VALUE}).")
  private long minLayerSize = IndexRules.STANDARD.minLayerSize();

  @Option(
      names = "--optimizations",
      paramLabel = "NAME",
      split = ",",
      description = "Experimental: xattr marks layers whose files have no extended attributes.")
  private List<String> optimizations = new ArrayList<>();

  @Option(
      names = {"-f", "--force"},
      description = "Build zTOCs though they are there already.")
  private boolean force;

  @Option(
      names = "--prefetch-file",
      paramLabel = "PATH",
      description = "A file of the image that is wanted first; may be repeated.")
  private List<String> prefetchFiles = new ArrayList<>();

  @Option(
      names = "--prefetch-files-json",
      paramLabel = "FILE",
      description = "A JSON array of such paths.")
  private @Nullable Path prefetchList;

  /** The rules that the options say. */
  public IndexRules rules() {
    for (String optimization : optimizations) {
      if (!optimization.equals("xattr")) {
        throw new CommandFailure("--optimizations knows xattr, not '" + optimization + "'", USAGE);
      }
    }
    List<String> prefetch = new ArrayList<>(prefetchFiles);
    prefetch.addAll(listed());
    List<String> paths = prefetch.stream().map(String::strip).filter(p -> !p.isEmpty()).toList();
    try {
      return new IndexRules(spanSize, minLayerSize, !optimizations.isEmpty(), force, paths);
    } catch (IllegalArgumentException e) {
      throw new CommandFailure(e.getMessage() + "; see --span-size and --min-layer-size", USAGE);
    }
  }

  /** The failure where an image has no layer with a zTOC; the existing tool's words begin it. */
  public static CommandFailure nothingIndexed() {
    return new CommandFailure(
        "no ztocs created, all layers either skipped or produced errors; lower --min-layer-size"
            + " where layers are small");
  }

  private List<String> listed() {
    if (prefetchList == null) {
      return List.of();
    }
    String failed = "cannot read --prefetch-files-json " + prefetchList + ": ";
    try {
      JsonNode list = new JsonMapper().readTree(Files.readAllBytes(prefetchList));
      if (list == null || !list.isArray()) {
        throw new CommandFailure(failed + "it is no JSON array of paths", USAGE);
      }
      List<String> paths = new ArrayList<>();
      for (JsonNode path : list) {
        if (!path.isTextual()) {
          throw new CommandFailure(failed + "it holds something that is no text", USAGE);
        }
        paths.add(path.textValue());
      }
      return paths;
    } catch (JsonProcessingException e) {
      throw new CommandFailure(failed + e.getOriginalMessage(), USAGE);
    } catch (IOException e) {
      throw new CommandFailure(failed + e, USAGE);
    }
  }
}
