package dev.socifleet.oci;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * An authority, a server's certificate for 127.0.0.1 and localhost, and one of a client, made by
 * the JDK's keytool; as PEM files {@code ca.pem}, {@code server.pem}, {@code server.key}, {@code
 * client.pem}, {@code client.key}.
 */
final class TestCertificates {
  private static final String PASSWORD = "changeit";

  final Path directory;
  private final KeyStore store;

  private TestCertificates(Path directory, KeyStore store) {
    this.directory = directory;
    this.store = store;
  }

  static TestCertificates make(Path directory) throws Exception {
    Path file = directory.resolve("store.p12");
    keytool(file, "-genkeypair -alias ca -keyalg EC -dname CN=authority -ext bc:critical=ca:true");
    for (String name : List.of("server", "client")) {
      Path request = directory.resolve(name + ".csr");
      Path signed = directory.resolve(name + ".crt");
      keytool(file, "-genkeypair -keyalg EC -alias " + name + " -dname CN=" + name);
      keytool(file, "-certreq -alias " + name + " -file " + request);
      keytool(
          file,
          "-gencert -alias ca -ext san=ip:127.0.0.1,dns:localhost -infile "
              + request
              + " -outfile "
              + signed);
      keytool(file, "-importcert -noprompt -alias " + name + " -file " + signed);
    }
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(file)) {
      store.load(in, PASSWORD.toCharArray());
    }
    TestCertificates made = new TestCertificates(directory, store);
    made.write("ca.pem", "CERTIFICATE", store.getCertificate("ca").getEncoded());
    for (String name : List.of("server", "client")) {
      made.write(name + ".pem", "CERTIFICATE", store.getCertificate(name).getEncoded());
      made.write(
          name + ".key", "PRIVATE KEY", store.getKey(name, PASSWORD.toCharArray()).getEncoded());
    }
    return made;
  }

  private static void keytool(Path store, String arguments) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of(arguments.split(" ")));
    command.addAll(
        List.of("-keystore", store.toString(), "-storetype", "PKCS12", "-storepass", PASSWORD));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
      throw new IOException("keytool " + arguments + ": " + output);
    }
  }

  private void write(String name, String type, byte[] der) throws IOException {
    Files.writeString(directory.resolve(name), pem(type, der));
  }

  static String pem(String type, byte[] der) {
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
        .formatted(type, Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der), type);
  }

  Path file(String name) {
    return directory.resolve(name);
  }

  /** A server's context, which trusts clients of the authority. */
  SSLContext server() throws Exception {
    KeyStore own = KeyStore.getInstance("PKCS12");
    own.load(null, null);
    own.setKeyEntry(
        "server",
        store.getKey("server", PASSWORD.toCharArray()),
        PASSWORD.toCharArray(),
        store.getCertificateChain("server"));
    KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
    keys.init(own, PASSWORD.toCharArray());
    KeyStore authorities = KeyStore.getInstance("PKCS12");
    authorities.load(null, null);
    authorities.setCertificateEntry("ca", store.getCertificate("ca"));
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(authorities);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
    return context;
  }
}
