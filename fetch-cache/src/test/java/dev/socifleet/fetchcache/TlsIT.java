package dev.socifleet.fetchcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.socifleet.cacheclient.CacheUnavailableException;
import dev.socifleet.cacheclient.FleetCacheConfig;
import dev.socifleet.cacheclient.HttpFleetCache;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A cache with a certificate that its clients are told of. */
@Timeout(300)
class TlsIT {
  private static final String PASSWORD = "password-of-a-test";

  @TempDir Path directory;

  @Test
  void clientsBelieveTheAuthorityTheyWereGivenAndNoOther() throws Exception {
    TestLayer layer = TestLayer.make(14, 1 << 20, 128 << 10);
    Path certificate = makeCertificate();
    try (StrictRegistry registry = new StrictRegistry();
        TestCache cache =
            new TestCache(
                directory,
                registry,
                "tls.certificate=" + certificate,
                "tls.key=" + directory.resolve("key.pem"))) {
      registry.put("team/app", layer.blob());
      URI uri = URI.create("https://127.0.0.1:" + cache.cache.port());
      try (HttpFleetCache client = client(uri, Optional.of(certificate))) {
        client.putZtoc(layer.digest(), layer.spanSize(), layer.ztoc());
        int[] spans = {0};
        client.spans(
            cache.repository("team/app"),
            layer.digest(),
            layer.spans(),
            Optional.empty(),
            (span, bytes) -> spans[0]++);
        assertThat(spans[0]).isEqualTo(layer.spans().size());
      }
      try (HttpFleetCache stranger = client(uri, Optional.empty())) {
        assertThatThrownBy(() -> stranger.ztocAsIndexer(layer.digest(), layer.spanSize()))
            .isInstanceOf(CacheUnavailableException.class);
      }
      try (HttpFleetCache inTheClear =
          client(URI.create("http://127.0.0.1:" + cache.cache.port()), Optional.empty())) {
        assertThatThrownBy(() -> inTheClear.ztocAsIndexer(layer.digest(), layer.spanSize()))
            .isInstanceOf(CacheUnavailableException.class);
      }
    }
  }

  private static HttpFleetCache client(URI uri, Optional<Path> authority) throws Exception {
    return HttpFleetCache.open(
        new FleetCacheConfig(
            List.of(uri), Optional.of(TestCache.TOKEN), authority, Duration.ofMinutes(1)));
  }

  /** By the JDK's keytool, then written as PEM. */
  private Path makeCertificate() throws Exception {
    Path store = directory.resolve("store.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "cache",
                "-keyalg",
                "EC",
                "-dname",
                "CN=cache",
                "-ext",
                "san=ip:127.0.0.1",
                "-storetype",
                "PKCS12",
                "-storepass",
                PASSWORD,
                "-keystore",
                store.toString())
            .inheritIO()
            .start();
    assertThat(keytool.waitFor()).isZero();
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    byte[] key = keys.getKey("cache", PASSWORD.toCharArray()).getEncoded();
    Files.writeString(directory.resolve("key.pem"), pem("PRIVATE KEY", key));
    Path certificate = directory.resolve("certificate.pem");
    Files.writeString(certificate, pem("CERTIFICATE", keys.getCertificate("cache").getEncoded()));
    return certificate;
  }

  private static String pem(String what, byte[] bytes) {
    return "-----BEGIN "
        + what
        + "-----\n"
        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes)
        + "\n-----END "
        + what
        + "-----\n";
  }
}
