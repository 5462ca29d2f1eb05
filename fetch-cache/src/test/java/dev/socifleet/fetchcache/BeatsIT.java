package dev.socifleet.fetchcache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.cacheclient.FleetCache.SpanRange;
import dev.socifleet.cacheclient.SpanFrames;
import dev.socifleet.cacheclient.SpanList;
import dev.socifleet.fetchcache.StrictRegistry.Fault;
import dev.socifleet.oci.Digest;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** While a registry is slow, who waits hears that the cache isn't gone. */
@Timeout(300)
class BeatsIT {
  @TempDir Path directory;
  private final CountDownLatch go = new CountDownLatch(1);
  private final HttpClient http = HttpClient.newHttpClient();
  private StrictRegistry registry;
  private TestCache cache;
  private TestLayer layer;
  private SpanRange span;

  @BeforeEach
  void start() throws Exception {
    registry = new StrictRegistry();
    layer = TestLayer.make(12, 1 << 20, 128 << 10);
    span = layer.spans().get(1);
    registry.put("team/app", layer.blob());
    cache = new TestCache(directory, registry);
  }

  @AfterEach
  void stop() throws Exception {
    go.countDown();
    cache.close();
    http.shutdownNow();
    registry.close();
    assertThat(registry.violations()).isEmpty();
  }

  private void slow(String method, Fault then) {
    registry.misbehave(request -> {
      if (!request.method().equals(method)) {
        return new Fault.None();
      }
      SpansIT.awaitQuietly(go);
      return then;
    });
  }

  private DataInputStream ask() throws IOException, InterruptedException {
    HttpResponse<InputStream> answer =
        http.send(
            HttpRequest.newBuilder(
                    URI.create(
                        cache.uri()
                            + "/v1/spans?repository="
                            + cache.repository("team/app")
                            + "&blob="
                            + layer.digest()))
                .POST(HttpRequest.BodyPublishers.ofByteArray(new SpanList(List.of(span)).toJson()))
                .build(),
            HttpResponse.BodyHandlers.ofInputStream());
    assertThat(answer.statusCode()).isEqualTo(200);
    return new DataInputStream(answer.body());
  }

  private static void assertBeat(DataInputStream in) throws IOException {
    assertThat(in.readNBytes(SpanFrames.HEAD)).isEqualTo(SpanFrames.stillAtIt());
  }

  private static byte[] afterBeats(DataInputStream in) throws IOException {
    byte[] head = in.readNBytes(SpanFrames.HEAD);
    while (Arrays.equals(head, SpanFrames.stillAtIt())) {
      head = in.readNBytes(SpanFrames.HEAD);
    }
    return head;
  }

  private void assertBeatsAndThenTheSpan() throws IOException, InterruptedException {
    int length = (int) span.range().length();
    try (DataInputStream in = ask()) {
      assertBeat(in);
      assertBeat(in);
      go.countDown();
      assertThat(afterBeats(in)).isEqualTo(SpanFrames.spanHead(length));
      assertThat(Digest.of(in.readNBytes(length))).isEqualTo(span.span());
      assertThat(afterBeats(in)).isEqualTo(SpanFrames.end());
      assertThat(in.read()).isNegative();
    }
  }

  @Test
  void whileTheSpanIsFetched() throws Exception {
    slow("GET", new Fault.None());
    assertBeatsAndThenTheSpan();
  }

  @Test
  void whileTheRightIsAskedFor() throws Exception {
    slow("HEAD", new Fault.None());
    assertBeatsAndThenTheSpan();
  }

  @Test
  void aRefusalAfterABeatIsAFrame() throws Exception {
    slow("HEAD", new Fault.Status(403, List.of()));
    try (DataInputStream in = ask()) {
      assertBeat(in);
      go.countDown();
      byte[] head = afterBeats(in);
      assertThat(head[0]).isEqualTo((byte) 2);
      String error = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      assertThat(error).contains("\"status\":403").contains("registry-denied");
    }
    assertThat(cache.metric("soci_cache_denied_total")).isEqualTo(1);
    cache.awaitNothingHeld();
  }
}
