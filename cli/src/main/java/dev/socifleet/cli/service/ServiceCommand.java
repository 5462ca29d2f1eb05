package dev.socifleet.cli.service;

import dev.socifleet.fetchcache.FetchCache;
import dev.socifleet.indexer.Indexer;
import dev.socifleet.ingest.Ingest;
import dev.socifleet.node.SnapshotterNode;
import dev.socifleet.pusher.Pusher;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/** {@code soci service}: runs one service until its process is told to end. */
@Command(
    name = "service",
    mixinStandardHelpOptions = true,
    description = {
      "Run one service as this process, until it is told to end.",
      "A setting is an argument --key=value, a variable SOCI_<SERVICE>_<KEY> or a line of the TOML file that"
          + " --config names; docs/settings.md has all of them."
    },
    footer = {
      "",
      "Examples:",
      "  soci service indexer --config /etc/soci-fleet/indexer.toml",
      "  soci service ingest --kafka.bootstrap=kafka.example:9092"
    })
public final class ServiceCommand implements Callable<Integer> {
  private static final Map<String, Consumer<String[]>> SERVICES =
      new TreeMap<>(
          Map.of(
              "ingest", Ingest::main,
              "indexer", Indexer::main,
              "pusher", Pusher::main,
              "fetch-cache", FetchCache::main,
              "snapshotter-node", SnapshotterNode::main));

  @Spec private @Nullable CommandSpec spec;

  @Parameters(
      index = "0",
      paramLabel = "SERVICE",
      description = "ingest, indexer, pusher, fetch-cache or snapshotter-node.")
  private String name = "";

  /** Filled by picocli. */
  @Unmatched private List<String> settings = new ArrayList<>();

  @Override
  public Integer call() {
    Consumer<String[]> main = SERVICES.get(name);
    if (main == null) {
      CommandSpec command = Objects.requireNonNull(spec);
      throw new ParameterException(
          command.commandLine(),
          "no service '" + name + "'; there are " + String.join(", ", SERVICES.keySet()));
    }
    main.accept(settings.toArray(String[]::new));
    return 0;
  }
}
