package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.spec.ECGenParameterSpec;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PemTest {
  @TempDir Path directory;

  private PrivateKey read(String type, byte[] der) throws IOException {
    Path file = directory.resolve("key.pem");
    Files.writeString(file, "comment\n" + TestCertificates.pem(type, der));
    return Pem.privateKey(file);
  }

  private static KeyPair rsa() throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(2048);
    return generator.generateKeyPair();
  }

  private static KeyPair ec(String curve) throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec(curve));
    return generator.generateKeyPair();
  }

  @Test
  void keysInPkcs8AreRead() throws Exception {
    for (KeyPair pair :
        new KeyPair[] {
          rsa(),
          ec("secp256r1"),
          ec("secp384r1"),
          KeyPairGenerator.getInstance("Ed25519").generateKeyPair()
        }) {
      assertThat(read("PRIVATE KEY", pair.getPrivate().getEncoded())).isEqualTo(pair.getPrivate());
    }
  }

  /** PKCS#8 of RSA is 26 bytes of wrapping around PKCS#1, for keys of this size. */
  @Test
  void aKeyInTheOlderFormOfRsaIsRead() throws Exception {
    KeyPair pair = rsa();
    byte[] pkcs8 = pair.getPrivate().getEncoded();

    assertThat(read("RSA PRIVATE KEY", Arrays.copyOfRange(pkcs8, 26, pkcs8.length)))
        .isEqualTo(pair.getPrivate());
  }

  /** As {@code openssl ecparam -genkey -name prime256v1} printed it, for this test only. */
  @Test
  void aKeyInTheOlderFormOfEcIsRead() throws Exception {
    Path file = directory.resolve("ec.pem");
    Files.writeString(
        file,
        """
        -----BEGIN EC PARAMETERS-----
        BggqhkjOPQMBBw==
        -----END EC PARAMETERS-----
        -----BEGIN EC PRIVATE KEY-----
        MHcCAQEEID+y8qJiseZL31txrX7FnaEXHf6mEiatUyWBP46bdfWKoAoGCCqGSM49
        AwEHoUQDQgAE7xn3tdwoxKwfsBPJHVaGv65ohmWakzWHqeR1V7mOyY0uP86c49SH
        PLMG1lxrMW14O2/5wuuMD5ziC4Ufr1MMHg==
        -----END EC PRIVATE KEY-----
        """);

    assertThat(Pem.privateKey(file).getAlgorithm()).isEqualTo("EC");
  }

  @Test
  void damagedKeysAreRefused() throws Exception {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    byte[] good = rsa().getPrivate().getEncoded();
    for (int i = 0; i < 2_000; i++) {
      byte[] bad = new byte[random.nextInt(60)];
      random.nextBytes(bad);
      if (bad.length > 0) {
        bad[0] = 0x30;
      }
      assertThatThrownBy(() -> read("EC PRIVATE KEY", bad))
          .as("seed %d", seed)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("key.pem");
    }
    assertThatThrownBy(() -> read("PRIVATE KEY", Arrays.copyOf(good, 100)))
        .hasMessageContaining("not a key of EC, RSA or Ed25519");
    assertThatThrownBy(() -> read("CERTIFICATE", good)).hasMessageContaining("no private key");
  }
}
