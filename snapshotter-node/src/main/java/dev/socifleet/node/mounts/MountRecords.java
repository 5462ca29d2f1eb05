package dev.socifleet.node.mounts;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.node.database.NodeDatabase;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The node's mounts in its database, under {@code mount/<id>}. No mount outlives the kernel it was
 * made in, so those of an earlier boot are dropped.
 */
final class MountRecords {
  private static final String MOUNT = "mount/";
  private static final String BOOT = "mounts-boot";
  private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
  private static final JsonMapper JSON = new JsonMapper();

  private final NodeDatabase database;

  MountRecords(NodeDatabase database) {
    this.database = database;
  }

  /** What was mounted since the machine started. */
  List<MountedImage> read() throws IOException {
    byte[] boot = Files.readString(BOOT_ID).strip().getBytes(StandardCharsets.US_ASCII);
    Optional<byte[]> known = database.get(BOOT);
    List<MountedImage> found = new ArrayList<>();
    NodeDatabase.Batch batch = new NodeDatabase.Batch().put(BOOT, boot);
    boolean sameBoot = known.isPresent() && java.util.Arrays.equals(known.get(), boot);
    for (var entry : database.all(MOUNT).entrySet()) {
      if (sameBoot) {
        found.add(JSON.readValue(entry.getValue(), MountedImage.class));
      } else {
        batch.delete(MOUNT + entry.getKey());
      }
    }
    if (!sameBoot) {
      database.write(batch);
    }
    return found;
  }

  void add(MountedImage mounted) throws IOException {
    database.write(
        new NodeDatabase.Batch().put(MOUNT + mounted.id(), JSON.writeValueAsBytes(mounted)));
  }

  void remove(String id) throws IOException {
    database.write(new NodeDatabase.Batch().delete(MOUNT + id));
  }
}
