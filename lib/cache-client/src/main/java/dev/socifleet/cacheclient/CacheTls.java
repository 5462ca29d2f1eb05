package dev.socifleet.cacheclient;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** Whose certificates are believed. */
final class CacheTls {
  private CacheTls() {}

  /**
   * @param authority PEM file with the certificates of who signed the members'; the JDK's own
   *     without it
   */
  static SSLContext context(Optional<Path> authority) throws IOException {
    try {
      return authority.isEmpty() ? SSLContext.getDefault() : trusting(authority.get());
    } catch (IOException | GeneralSecurityException e) {
      throw new IOException(
          "cannot use the certificate authority of the cache"
              + authority.map(path -> " in " + path).orElse("")
              + ": "
              + e.getMessage(),
          e);
    }
  }

  private static SSLContext trusting(Path authority) throws IOException, GeneralSecurityException {
    List<? extends Certificate> certificates;
    try (InputStream pem = Files.newInputStream(authority)) {
      certificates = List.copyOf(CertificateFactory.getInstance("X.509").generateCertificates(pem));
    }
    if (certificates.isEmpty()) {
      throw new IOException("it holds no certificate");
    }
    KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
    trusted.load(null, null);
    for (int i = 0; i < certificates.size(); i++) {
      trusted.setCertificateEntry("authority-" + i, certificates.get(i));
    }
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    return context;
  }
}
