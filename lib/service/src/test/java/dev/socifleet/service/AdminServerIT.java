package dev.socifleet.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(300)
class AdminServerIT {
  private static final FleetToken TOKEN = FleetToken.of("0123456789abcdef");
  private final Metrics metrics = new Metrics();
  private final Readiness readiness = new Readiness();
  private final HttpClient http = HttpClient.newHttpClient();

  private HttpResponse<String> get(AdminServer server, String path, String... headers)
      throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void readinessSaysWhatIsMissingUntilNothingIs() throws Exception {
    AtomicReference<Optional<String>> kafka =
        new AtomicReference<>(Optional.of("no broker answers"));
    readiness.add("kafka", kafka::get);
    readiness.started();
    try (AdminServer server =
        AdminServer.start(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), metrics, readiness)) {
      HttpResponse<String> before = get(server, "/readyz");
      kafka.set(Optional.empty());
      HttpResponse<String> after = get(server, "/readyz");

      assertThat(before.statusCode()).isEqualTo(503);
      assertThat(before.body())
          .isEqualTo("{\"ready\":false,\"why\":{\"kafka\":\"no broker answers\"}}\n");
      assertThat(after.statusCode()).isEqualTo(200);
      assertThat(after.body()).isEqualTo("{\"ready\":true}\n");
      assertThat(get(server, "/healthz").statusCode()).isEqualTo(200);
      assertThat(get(server, "/else").statusCode()).isEqualTo(404);
    }
  }

  @Test
  void aServiceThatIsNotThereYetIsNotReady() throws Exception {
    try (AdminServer server =
        AdminServer.start(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), metrics, readiness)) {
      HttpResponse<String> before = get(server, "/readyz");
      readiness.started();

      assertThat(before.statusCode()).isEqualTo(503);
      assertThat(before.body()).contains("\"start\":\"not all parts are there yet\"");
      assertThat(get(server, "/readyz").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void othersThanThisMachineSeeMetricsAndReasonsOnlyWithTheToken() throws Exception {
    metrics.counter("soci_test_total", "A test").increment();
    readiness.add("kafka", () -> Optional.of("no broker answers"));
    try (AdminServer server =
        AdminServer.start(new InetSocketAddress("0.0.0.0", 0), metrics, readiness, TOKEN)) {
      assertThat(get(server, "/metrics").statusCode()).isEqualTo(401);
      assertThat(get(server, "/readyz").body()).isEqualTo("{\"ready\":false}\n");

      HttpResponse<String> admitted =
          get(server, "/metrics", "Authorization", TOKEN.authorization());
      assertThat(admitted.statusCode()).isEqualTo(200);
      assertThat(admitted.body()).contains("soci_test_total 1.0");
    }
  }

  @Test
  void withoutATokenItOpensOnThisMachineOnly() {
    assertThatIOException()
        .isThrownBy(
            () -> AdminServer.start(new InetSocketAddress("0.0.0.0", 0), metrics, readiness))
        .withMessageContaining("not a loopback address");
  }

  @Test
  void aPortThatIsTakenIsSaid() throws Exception {
    try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      assertThatIOException()
          .isThrownBy(() ->
              AdminServer.start(
                  new InetSocketAddress(InetAddress.getLoopbackAddress(), taken.getLocalPort()),
                  metrics,
                  readiness))
          .withMessageContaining("cannot open the admin port on")
          .withMessageContaining(":" + taken.getLocalPort());
    }
  }
}
