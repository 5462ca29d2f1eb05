package dev.socifleet.cli.store;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.ContainerdOptions.Containerd;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where this machine's artifacts are; taken before the command's name and after it. */
public final class StoreOptions {
  private static final String ROOT = "/var/lib/soci-snapshotter-grpc/";
  private static final String CONTAINERD = "containerd";
  private static final String SOCI = "soci";

  @Option(
      names = "--content-store",
      paramLabel = "containerd|soci",
      description = "Where zTOCs and indexes are kept (containerd).")
  private @Nullable String contentStore;

  @Option(
      names = "--root",
      paramLabel = "DIR",
      description = "The directory of the catalogue and the soci store (" + ROOT + ").")
  private @Nullable Path root;

  /** Opens the stores that these options and those before the command's name say. */
  LocalStores open(StoreOptions global, Containerd containerd, Consumer<String> notices) {
    String kind = contentStore != null ? contentStore : global.contentStore;
    if (kind != null && !kind.equals(CONTAINERD) && !kind.equals(SOCI)) {
      throw new CommandFailure("--content-store knows containerd and soci, not '" + kind + "'", 2);
    }
    Path place = root != null ? root : global.root != null ? global.root : Path.of(ROOT);
    return LocalStores.open(place, SOCI.equals(kind), containerd, notices);
  }
}
