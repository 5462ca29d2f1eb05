package dev.socifleet.cli.remote;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.testing.ContainerdProcess;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * Keys of a server at 127.0.0.1 and of a client, made by the JDK's keytool. Each is its own
 * authority. As PEM files {@code server.pem}, {@code client.pem}, {@code client.key}.
 */
final class KeyFiles {
  private static final char[] PASSWORD = "changeit".toCharArray();

  private final Path directory;
  private final KeyStore server;
  private final KeyStore client;

  KeyFiles(Path directory) throws Exception {
    this.directory = directory;
    server = make("server");
    client = make("client");
    write("server.pem", "CERTIFICATE", server.getCertificate("key").getEncoded());
    write("client.pem", "CERTIFICATE", client.getCertificate("key").getEncoded());
    write("client.key", "PRIVATE KEY", client.getKey("key", PASSWORD).getEncoded());
  }

  private KeyStore make(String name) throws Exception {
    Path file = directory.resolve(name + ".p12");
    ContainerdProcess.Result made =
        ContainerdProcess.run(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "key",
                "-keyalg",
                "EC",
                "-dname",
                "CN=" + name,
                "-ext",
                "san=ip:127.0.0.1",
                "-keystore",
                file.toString(),
                "-storetype",
                "PKCS12",
                "-storepass",
                new String(PASSWORD)));
    assertThat(made.status()).as(made.out() + made.err()).isZero();
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(file)) {
      store.load(in, PASSWORD);
    }
    return store;
  }

  private void write(String name, String type, byte[] der) throws IOException {
    String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
    Files.write(
        file(name),
        "-----BEGIN %s-----\n%s\n-----END %s-----\n"
            .formatted(type, text, type)
            .getBytes(StandardCharsets.US_ASCII));
  }

  Path file(String name) {
    return directory.resolve(name);
  }

  /** The server's context, in which the client is trusted and nobody else. */
  SSLContext context() throws Exception {
    KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
    keys.init(server, PASSWORD);
    KeyStore clients = KeyStore.getInstance("PKCS12");
    clients.load(null, null);
    clients.setCertificateEntry("client", client.getCertificate("key"));
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(clients);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
    return context;
  }
}
