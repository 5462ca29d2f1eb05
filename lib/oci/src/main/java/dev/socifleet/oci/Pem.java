package dev.socifleet.oci;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Certificates and private keys in PEM files (RFC 7468). */
final class Pem {
  private static final long LARGEST = 8 << 20;
  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \\1-----");

  /** AlgorithmIdentifier rsaEncryption with NULL parameters (RFC 8017, A.1). */
  private static final byte[] RSA = {
    0x30,
    0x0d,
    0x06,
    0x09,
    0x2a,
    (byte) 0x86,
    0x48,
    (byte) 0x86,
    (byte) 0xf7,
    0x0d,
    0x01,
    0x01,
    0x01,
    0x05,
    0x00
  };

  /** OBJECT IDENTIFIER id-ecPublicKey (RFC 5480, 2.1.1). */
  private static final byte[] EC = {0x06, 0x07, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 2, 1};

  private static final byte[] VERSION_0 = {0x02, 0x01, 0x00};
  private static final int SEQUENCE = 0x30;
  private static final int OCTETS = 0x04;
  private static final int PARAMETERS = 0xa0;
  private static final int OBJECT = 0x06;

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Block(String type, byte[] bytes) {
    @Override
    public String toString() {
      return type;
    }
  }

  private Pem() {}

  /** Every certificate of a file, at least one. */
  static List<X509Certificate> certificates(Path file) throws IOException {
    List<X509Certificate> all = new ArrayList<>();
    try {
      CertificateFactory factory = CertificateFactory.getInstance("X.509");
      for (Block block : blocks(file)) {
        if (block.type.equals("CERTIFICATE")) {
          all.add(
              (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(block.bytes)));
        }
      }
    } catch (CertificateException e) {
      throw new IOException(file + ": not a certificate: " + e.getMessage(), e);
    }
    if (all.isEmpty()) {
      throw new IOException(file + ": no certificate in it (-----BEGIN CERTIFICATE-----)");
    }
    return all;
  }

  /** The first private key of a file: PKCS#8, or the older forms of RSA and EC. */
  static PrivateKey privateKey(Path file) throws IOException {
    for (Block block : blocks(file)) {
      switch (block.type) {
        case "PRIVATE KEY" -> {
          return pkcs8(file, block.bytes);
        }
        case "RSA PRIVATE KEY" -> {
          return pkcs8(file, der(SEQUENCE, VERSION_0, RSA, der(OCTETS, block.bytes)));
        }
        case "EC PRIVATE KEY" -> {
          byte[] algorithm = der(SEQUENCE, EC, curve(file, block.bytes));
          return pkcs8(file, der(SEQUENCE, VERSION_0, algorithm, der(OCTETS, block.bytes)));
        }
        case "ENCRYPTED PRIVATE KEY" ->
            throw new IOException(file + ": its key is encrypted; store it without a password");
        default -> {
          // a certificate, or the parameters of a curve
        }
      }
    }
    throw new IOException(file + ": no private key in it (-----BEGIN PRIVATE KEY-----)");
  }

  private static PrivateKey pkcs8(Path file, byte[] bytes) throws IOException {
    InvalidKeySpecException last = null;
    for (String algorithm : List.of("EC", "RSA", "Ed25519")) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(bytes));
      } catch (InvalidKeySpecException e) {
        last = e; // another kind of key
      } catch (GeneralSecurityException e) {
        throw new IOException("no " + algorithm + " keys in this Java platform", e);
      }
    }
    throw new IOException(file + ": not a key of EC, RSA or Ed25519", last);
  }

  /**
   * The curve's OBJECT IDENTIFIER out of {@code SEQUENCE { INTEGER 1, OCTET STRING, [0] {OID} … }}
   * (RFC 5915, 3).
   */
  private static byte[] curve(Path file, byte[] key) throws IOException {
    int at = body(key, 0);
    while (at > 0 && at + 1 < key.length) {
      int body = body(key, at);
      int end = body < 0 ? -1 : body + length(key, at);
      if (end < 0 || end > key.length) {
        break;
      }
      if ((key[at] & 0xff) == PARAMETERS && body < end && key[body] == OBJECT) {
        return java.util.Arrays.copyOfRange(key, body, end);
      }
      at = end;
    }
    throw new IOException(file + ": its key names no curve; convert it to PKCS#8");
  }

  /** Where the contents of the element at this place begin; negative where there is none. */
  private static int body(byte[] der, int at) {
    if (at + 1 >= der.length) {
      return -1;
    }
    int length = der[at + 1] & 0xff;
    return length < 0x80 ? at + 2 : length <= 0x82 ? at + 2 + (length - 0x80) : -1;
  }

  private static int length(byte[] der, int at) {
    int begin = body(der, at);
    if (begin == at + 2) {
      return der[at + 1] & 0xff;
    }
    int length = 0;
    for (int i = at + 2; i < begin && i < der.length; i++) {
      length = (length << 8) | (der[i] & 0xff);
    }
    return length;
  }

  private static byte[] der(int tag, byte[]... parts) {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      body.writeBytes(part);
    }
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    whole.write(tag);
    int length = body.size();
    if (length < 0x80) {
      whole.write(length);
    } else {
      whole.write(0x82);
      whole.write(length >> 8);
      whole.write(length);
    }
    whole.writeBytes(body.toByteArray());
    return whole.toByteArray();
  }

  private static List<Block> blocks(Path file) throws IOException {
    if (Files.size(file) > LARGEST) {
      throw new IOException(file + ": larger than " + LARGEST + " bytes");
    }
    Matcher matcher = BLOCK.matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
    List<Block> all = new ArrayList<>();
    while (matcher.find()) {
      try {
        all.add(
            new Block(matcher.group(1), Base64.getMimeDecoder().decode(matcher.group(2).strip())));
      } catch (IllegalArgumentException e) {
        throw new IOException(file + ": " + matcher.group(1) + " isn't base64", e);
      }
    }
    return all;
  }
}
