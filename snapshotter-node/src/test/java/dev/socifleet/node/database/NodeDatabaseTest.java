package dev.socifleet.node.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class NodeDatabaseTest {
  @TempDir Path directory;

  @Test
  void recordsOfAPrefixComeSortedAndWithoutIt() throws Exception {
    try (NodeDatabase database = NodeDatabase.open(directory)) {
      database.write(
          new NodeDatabase.Batch()
              .put("a/2", new byte[] {2})
              .put("a/1", new byte[] {1})
              .put("b/3", new byte[] {3}));
      database.write(new NodeDatabase.Batch().delete("a/2").put("a/4", new byte[] {4}));
      assertThat(database.all("a/")).containsOnlyKeys("1", "4");
    }
    try (NodeDatabase again = NodeDatabase.open(directory)) {
      assertThat(again.get("b/3")).contains(new byte[] {3});
      assertThat(again.get("a/2")).isEmpty();
    }
  }

  @Test
  void whoeverUsesItWhileItIsClosedGetsAnErrorAndTheProcessLives() throws Exception {
    NodeDatabase database = NodeDatabase.open(directory);
    CountDownLatch running = new CountDownLatch(4);
    CountDownLatch refused = new CountDownLatch(4);
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 4; i++) {
        String key = "k" + i;
        threads.execute(() -> {
          try {
            for (int round = 0; ; round++) {
              database.write(new NodeDatabase.Batch().put(key, new byte[] {(byte) round}));
              database.all("k");
              running.countDown();
            }
          } catch (IOException e) {
            refused.countDown();
          }
        });
      }
      running.await();
      database.close();
      refused.await();
    }
    assertThatIOException().isThrownBy(() -> database.get("k0")).withMessageContaining("closed");
    database.close();
  }

  @Test
  void aSecondNodeOnTheSameRootIsRefused() throws Exception {
    try (NodeDatabase _ = NodeDatabase.open(directory)) {
      assertThatIOException()
          .isThrownBy(() -> NodeDatabase.open(directory))
          .withMessageContaining("is another node running");
    }
  }
}
