package dev.socifleet.systemtests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.socifleet.containerd.BlobWriter;
import dev.socifleet.containerd.ContainerdChannel;
import dev.socifleet.containerd.ContentStore;
import dev.socifleet.containerd.Lease;
import dev.socifleet.oci.Digest;
import dev.socifleet.testing.ContainerdProcess.Result;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What stays of a pull that was ended, and how the next one goes on from there. */
class RpullInterruptionIT {
  @TempDir Path root;
  private RpullRig rig;

  @BeforeEach
  void start() throws Exception {
    rig = new RpullRig(root);
  }

  @AfterEach
  void stop() {
    if (rig != null) {
      rig.close();
    }
  }

  @Test
  void whatAnEarlierUploadLeftIsNotDownloadedAgain() throws Exception {
    byte[] blob = rig.image().blobs().get(rig.layer(1));
    try (ContainerdChannel channel = ContainerdChannel.open(rig.containerd.socket());
        Lease lease = Lease.open(channel, "default", "test", Duration.ofMinutes(5))) {
      ContentStore store = new ContentStore(lease.calls());
      try (BlobWriter writer =
          store
              .write("layer-" + rig.layer(1), rig.layer(1).toString(), blob.length)
              .orElseThrow()) {
        writer.write(blob, 0, 2_000_000);
      }

      JsonNode result = rig.pulled();

      assertThat(result.path("layers").get(1).path("downloaded").asLong())
          .isEqualTo(blob.length - 2_000_000);
    }
    assertThat(rig.run()).isEqualTo(RpullRig.GREETING);
  }

  @Test
  void wrongBytesThatAnEarlierUploadLeftAreReplaced() throws Exception {
    int size = rig.image().blobs().get(rig.layer(1)).length;
    try (ContainerdChannel channel = ContainerdChannel.open(rig.containerd.socket());
        Lease lease = Lease.open(channel, "default", "test", Duration.ofMinutes(5))) {
      ContentStore store = new ContentStore(lease.calls());
      try (BlobWriter writer =
          store.write("layer-" + rig.layer(1), rig.layer(1).toString(), size).orElseThrow()) {
        writer.write(new byte[size / 2], 0, size / 2);
      }
      rig.pulled();
    }
    assertThat(rig.run()).isEqualTo(RpullRig.GREETING);
  }

  @Test
  void aPullThatIsKilledCanBeRepeatedAndItsLeaseExpires() throws Exception {
    CountDownLatch answer = new CountDownLatch(1);
    rig.node.holdQuestions(answer);
    Process pull = rig.rpullProcess(root.resolve("pull.log"));
    try {
      await().atMost(Duration.ofMinutes(3)).until(() -> !rig.node.asked().isEmpty());
    } finally {
      pull.destroyForcibly().waitFor(3, TimeUnit.MINUTES);
      answer.countDown();
    }

    assertThat(rig.containerd.ctr("leases", "ls").success()).contains("containerd.io/gc.expire=");
    rig.serve(0, 1, 2);
    rig.pulled();
    assertThat(rig.run()).isEqualTo(RpullRig.GREETING);
  }

  @Test
  void aPullThatIsToldToEndGivesItsLeaseBack() throws Exception {
    CountDownLatch answer = new CountDownLatch(1);
    rig.node.holdQuestions(answer);
    Process pull = rig.rpullProcess(root.resolve("pull.log"));
    try {
      await().atMost(Duration.ofMinutes(3)).until(() -> !rig.node.asked().isEmpty());
      pull.destroy();
      assertThat(pull.waitFor(3, TimeUnit.MINUTES)).isTrue();
      assertThat(rig.leases()).isEmpty();
    } finally {
      pull.destroyForcibly();
      answer.countDown();
    }
  }

  @Test
  void aPullWhoseContainerdEndsSaysSo() throws Exception {
    CountDownLatch answer = new CountDownLatch(1);
    rig.node.holdQuestions(answer);
    Path printed = root.resolve("pull.log");
    Process pull = rig.rpullProcess(printed);
    try {
      await().atMost(Duration.ofMinutes(3)).until(() -> !rig.node.asked().isEmpty());
      rig.containerd.close();
      assertThat(pull.waitFor(3, TimeUnit.MINUTES)).isTrue();
    } finally {
      pull.destroyForcibly();
      answer.countDown();
    }
    assertThat(pull.exitValue()).isEqualTo(1);
    assertThat(Files.readString(printed)).contains("containerd is gone").hasLineCount(1);
  }

  @Test
  void twoPullsAtOnceDoNotDisturbEachOther() throws Exception {
    rig.serve(0);
    CountDownLatch answer = new CountDownLatch(1);
    rig.node.holdQuestions(answer);
    List<Process> pulls =
        List.of(rig.rpullProcess(root.resolve("1.log")), rig.rpullProcess(root.resolve("2.log")));
    try {
      await().atMost(Duration.ofMinutes(3)).until(() -> rig.node.asked().size() == 2);
      answer.countDown();
      for (Process pull : pulls) {
        assertThat(pull.waitFor(3, TimeUnit.MINUTES)).isTrue();
      }
    } finally {
      answer.countDown();
      pulls.forEach(Process::destroyForcibly);
    }
    assertThat(pulls).extracting(Process::exitValue).containsExactly(0, 0);
    assertThat(rig.run()).isEqualTo(RpullRig.GREETING);
    assertThat(rig.leases()).isEmpty();
    await().atMost(Duration.ofMinutes(3)).until(() -> rig.node.snapshots().size() == 3);
  }

  @Test
  void aPullThatTakesTooLongEnds() throws Exception {
    CountDownLatch answer = new CountDownLatch(1);
    rig.node.holdQuestions(answer);
    try {
      Result result = rig.rpull("--timeout", "2s", rig.ref);

      assertThat(result.status()).isEqualTo(1);
      assertThat(result.err()).contains("--timeout");
      assertThat(rig.leases()).isEmpty();
    } finally {
      answer.countDown();
    }
  }

  @Test
  void anExpiredLeaseHoldsNothing() throws Exception {
    try (ContainerdChannel channel = ContainerdChannel.open(rig.containerd.socket())) {
      Lease lease = Lease.open(channel, "default", "test", Duration.ofSeconds(1));
      ContentStore store = new ContentStore(lease.calls());
      byte[] bytes = "x".repeat(100).getBytes(StandardCharsets.UTF_8);
      String digest = Digest.of(bytes).toString();
      try (BlobWriter writer = store.write("r", digest, bytes.length).orElseThrow()) {
        writer.write(bytes, 0, bytes.length);
        writer.commit(Map.of());
      }
      await()
          .atMost(Duration.ofMinutes(3))
          .until(() -> {
            rig.collectGarbage();
            return rig.blobs().isEmpty() && rig.leases().isEmpty();
          });
    }
  }
}
