package dev.socifleet.cli.demo;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.Lifetime;
import dev.socifleet.cli.Machine;
import dev.socifleet.cli.Sizes;
import dev.socifleet.cli.up.Overview;
import dev.socifleet.cli.up.Stack;
import dev.socifleet.cli.up.StackOptions;
import dev.socifleet.cli.up.StackPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code soci demo}: shows the whole path and measures it. */
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    description = {
      "Show the whole path on this machine, and measure it.",
      "It starts everything, pushes an image of several hundred megabytes made from this machine's JDK, shows how it is"
          + " indexed, runs java out of it lazily and after a full download, and prints what both took. As root.",
      "It goes on running until Ctrl-C, so that you can try more; then it leaves nothing behind."
    },
    footer = {"", "Example:", "  soci demo --once     only the numbers"})
public final class DemoCommand implements Callable<Integer> {
  @Option(names = "--once", description = "End after the table.")
  private boolean once;

  @Option(names = "--json", description = "Print the table as one JSON object.")
  private boolean json;

  @Option(
      names = "--state",
      paramLabel = "DIR",
      description = "Directory of all state, kept (default: a temporary one, removed at the end).")
  private @Nullable Path state;

  @Mixin private StackOptions options = new StackOptions();

  @Override
  public Integer call() throws IOException, InterruptedException {
    checkMachine();
    JdkImage image = JdkImage.ofThisProcess();
    long need = 3 * image.uncompressedBytes() + (256 << 20);
    try (Lifetime life = Lifetime.begin()) {
      Path directory = directory(life, need);
      StackPlan plan = options.plan(directory, socket(directory));
      plan.needMachine();
      Narration narration = Narration.begin();
      narration.say(
          "start    broker, registry, ingest, indexer, pusher, fetch-cache; the node in a process of its own");
      Stack stack = Stack.start(plan, life);
      Overview.places(stack).forEach(narration::detail);
      Path scratch = directory.resolve("demo");
      life.start(() -> new TemporaryDirectory(scratch));
      DemoResult result = new DemoRun(stack, life, image, scratch, narration).run();
      print(result);
      if (!once) {
        System.err.println();
        Overview.next(stack).forEach(System.err::println);
        System.err.println();
        System.err.println("Ctrl-C ends it.");
        life.awaitSignal();
      }
    }
    return 0;
  }

  private static void checkMachine() {
    Machine.needRoot("soci demo");
    Machine.needFuse();
    for (String program : List.of("unshare", "mount", "umount")) {
      Machine.needProgram(program, "util-linux mount");
    }
    Machine.needProgram("chroot", "coreutils");
    Machine.needProgram("tar", "tar");
    Machine.needProgram("gzip", "gzip");
    Machine.needProgram("ldd", "libc-bin");
  }

  private Path directory(Lifetime life, long need) throws IOException, InterruptedException {
    Path given = state;
    if (given != null) {
      Files.createDirectories(given);
      needSpace(given, need);
      return given.toRealPath();
    }
    Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
    Path larger = Path.of("/var/tmp"); // on disk where /tmp is in memory
    Path parent = space(temporary) < need && space(larger) > need ? larger : temporary;
    needSpace(parent, need);
    return life.start(() -> TemporaryDirectory.create(parent)).path();
  }

  private static long space(Path directory) throws IOException {
    return Files.isWritable(directory) ? Files.getFileStore(directory).getUsableSpace() : 0;
  }

  private static void needSpace(Path directory, long need) throws IOException {
    long there = space(directory);
    if (there < need) {
      throw new CommandFailure(
          "the demo needs "
              + Sizes.megabytes(need)
              + " of disk, and "
              + directory
              + " has "
              + Sizes.megabytes(there)
              + " free; give it another directory with --state");
    }
  }

  private static Optional<Path> socket(Path directory) {
    return Optional.of(directory.resolve("node.sock"));
  }

  private void print(DemoResult result) {
    if (json) {
      System.out.println(result.json());
    } else {
      System.out.println();
      result.table().forEach(System.out::println);
      System.out.println();
      result.notes().forEach(System.out::println);
    }
    System.out.flush();
  }
}
