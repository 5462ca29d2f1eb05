package dev.socifleet.fetchcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.socifleet.cacheclient.HttpFleetCache;
import dev.socifleet.oci.RepositoryName;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A cache whose process is killed. */
@Timeout(300)
class KilledCacheIT {
  @TempDir Path directory;

  private Process start(StrictRegistry registry, int port) throws IOException {
    Path token = directory.resolve("token");
    Files.writeString(token, TestCache.TOKEN.authorization().substring("Bearer ".length()));
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-Xmx256m",
            "-cp",
            System.getProperty("java.class.path"),
            FetchCache.class.getName(),
            "--listen=127.0.0.1:" + port,
            "--admin.listen=127.0.0.1:0",
            "--directory=" + directory.resolve("cache"),
            "--limit=256MiB",
            "--token-file=" + token,
            "--registry.0.host=" + registry.host())
        .redirectError(Redirect.INHERIT)
        .redirectOutput(Redirect.INHERIT)
        .start();
  }

  @Test
  void whatWasCommittedOutlivesItAndTheRestIsFetchedAgain() throws Exception {
    TestLayer layer = TestLayer.make(11, 1 << 20, 128 << 10);
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    try (StrictRegistry registry = new StrictRegistry()) {
      registry.put("team/app", layer.blob());
      var repository = new RepositoryName(registry.host(), "team/app");
      for (int round = 0; round < 2; round++) {
        Process process = start(registry, port);
        try (HttpFleetCache client =
            TestCache.client(
                Optional.of(TestCache.TOKEN), URI.create("http://127.0.0.1:" + port))) {
          await().atMost(Duration.ofMinutes(2)).until(() -> listens(port));
          if (round == 1) {
            // The indexer was told that it is stored.
            assertThat(client.ztocAsIndexer(layer.digest(), layer.spanSize()))
                .contains(layer.ztoc());
          }
          List<byte[]> got = new ArrayList<>();
          client.spans(
              repository,
              layer.digest(),
              layer.spans(),
              Optional.empty(),
              (span, bytes) -> got.add(bytes));
          assertThat(got).hasSameSizeAs(layer.spans());
          client.putZtoc(layer.digest(), layer.spanSize(), layer.ztoc());
        } finally {
          process.destroyForcibly().waitFor();
        }
      }
      assertThat(registry.violations()).isEmpty();
    }
  }

  private static boolean listens(int port) {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }
}
