package dev.socifleet.oci;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/**
 * How to connect to a host: whom to trust, and who we are. Files are PEM.
 *
 * @param authorities certificates of authorities to trust, on top of those of Java and the system
 * @param identities our certificates with their keys
 * @param trustAnybody whether the host's certificate isn't looked at
 * @param stamps sizes and times of the files, so that one that was renewed makes another of these
 */
record Tls(
    List<Path> authorities,
    List<Identity> identities,
    boolean trustAnybody,
    Duration connectTimeout,
    List<String> stamps) {
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);

  /** Where Linux distributions keep the authorities that their users trust. */
  private static final List<Path> SYSTEM_AUTHORITIES =
      List.of(
          Path.of("/etc/ssl/certs/ca-certificates.crt"),
          Path.of("/etc/pki/tls/certs/ca-bundle.crt"),
          Path.of("/etc/ssl/ca-bundle.pem"),
          Path.of("/etc/ssl/cert.pem"));

  static final Tls STANDARD = of(List.of(), List.of(), false, CONNECT_TIMEOUT);

  /**
   * @param key may be the file of the certificate
   */
  record Identity(Path certificate, Path key) {}

  static Tls of(
      List<Path> authorities,
      List<Identity> identities,
      boolean trustAnybody,
      Duration connectTimeout) {
    List<String> stamps =
        Stream.concat(
                authorities.stream(),
                identities.stream().flatMap(i -> Stream.of(i.certificate, i.key)))
            .map(Tls::stamp)
            .toList();
    return new Tls(
        List.copyOf(authorities), List.copyOf(identities), trustAnybody, connectTimeout, stamps);
  }

  /** The same, with what another one says in the place of its own. */
  Tls with(Tls asked) {
    return of(
        asked.authorities.isEmpty() ? authorities : asked.authorities,
        asked.identities.isEmpty() ? identities : asked.identities,
        asked.trustAnybody || trustAnybody,
        connectTimeout);
  }

  /** Whether it is the same but for the files' contents. */
  boolean isOlderThan(Tls newer) {
    return !stamps.equals(newer.stamps)
        && of(authorities, identities, trustAnybody, connectTimeout).equals(newer);
  }

  private static String stamp(Path file) {
    try {
      BasicFileAttributes of = Files.readAttributes(file, BasicFileAttributes.class);
      return of.lastModifiedTime() + " " + of.size();
    } catch (IOException e) {
      return "missing";
    }
  }

  SSLContext context() throws IOException {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(keyManagers(), new TrustManager[] {trustManager()}, null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IOException("no TLS with these certificates: " + e.getMessage(), e);
    }
  }

  private KeyManager[] keyManagers() throws IOException, GeneralSecurityException {
    if (identities.isEmpty()) {
      return new KeyManager[0];
    }
    char[] password = {};
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, password);
    for (Identity identity : identities) {
      List<X509Certificate> chain = Pem.certificates(identity.certificate);
      PrivateKey key = Pem.privateKey(identity.key);
      store.setKeyEntry(
          identity.certificate.toString(), key, password, chain.toArray(new Certificate[0]));
    }
    KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
    factory.init(store, password);
    return factory.getKeyManagers();
  }

  private TrustManager trustManager() throws IOException, GeneralSecurityException {
    if (trustAnybody) {
      return new TrustAnybody();
    }
    List<X509Certificate> trusted = new ArrayList<>(List.of(javas().getAcceptedIssuers()));
    Optional<Path> system = systemAuthorities();
    if (system.isPresent()) {
      trusted.addAll(Pem.certificates(system.get()));
    }
    for (Path file : authorities) {
      trusted.addAll(Pem.certificates(file));
    }
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    for (int i = 0; i < trusted.size(); i++) {
      store.setCertificateEntry("authority-" + i, trusted.get(i));
    }
    return managerOf(store);
  }

  private static Optional<Path> systemAuthorities() {
    String named = System.getenv("SSL_CERT_FILE");
    return Stream.concat(Stream.ofNullable(named).map(Path::of), SYSTEM_AUTHORITIES.stream())
        .filter(Files::isReadable)
        .findFirst();
  }

  private static X509TrustManager javas() throws GeneralSecurityException {
    return managerOf(null);
  }

  private static X509TrustManager managerOf(@org.jspecify.annotations.Nullable KeyStore store)
      throws GeneralSecurityException {
    TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
    factory.init(store);
    return Arrays.stream(factory.getTrustManagers())
        .filter(X509TrustManager.class::isInstance)
        .map(X509TrustManager.class::cast)
        .findFirst()
        .orElseThrow();
  }
}
