package dev.socifleet.oci;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * The digest of a blob: {@code sha256:<64 lower-case hex>} or {@code sha512:<128 lower-case hex>}
 * (OCI image specification, descriptor.md, "Digests").
 */
public record Digest(String algorithm, String hex) implements Comparable<Digest> {
  public Digest {
    int expected =
        switch (algorithm) {
          case "sha256" -> 64;
          case "sha512" -> 128;
          default ->
              throw new IllegalArgumentException(
                  "digest algorithm is neither sha256 nor sha512: " + shown(algorithm));
        };
    if (hex.length() != expected || !isLowerHex(hex)) {
      throw new IllegalArgumentException(
          "digest "
              + algorithm
              + ":"
              + shown(hex)
              + " is not "
              + expected
              + " lower-case hex digits");
    }
  }

  /** Parses {@code algorithm:hex}; an {@link IllegalArgumentException} says what was wrong. */
  public static Digest parse(String text) {
    int colon = text.indexOf(':');
    if (colon < 0) {
      throw new IllegalArgumentException("digest has no algorithm: " + shown(text));
    }
    return new Digest(text.substring(0, colon), text.substring(colon + 1));
  }

  /** The sha256 digest of {@code bytes}. */
  public static Digest of(byte[] bytes) {
    return ofHash(newSha256().digest(bytes));
  }

  /** The digest whose sha256 hash is already known: 32 bytes. */
  public static Digest ofHash(byte[] sha256) {
    return new Digest("sha256", HexFormat.of().formatHex(sha256));
  }

  public static MessageDigest newSha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /** A fresh computation of this digest's algorithm. */
  public MessageDigest newMessageDigest() {
    try {
      return MessageDigest.getInstance(algorithm.equals("sha256") ? "SHA-256" : "SHA-512");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("no " + algorithm + " in this Java platform", e);
    }
  }

  /** Whether this is the digest of {@code bytes}. */
  public boolean matches(byte[] bytes) {
    return MessageDigest.isEqual(newMessageDigest().digest(bytes), hash());
  }

  /** The hash as bytes: 32 of them for sha256. */
  public byte[] hash() {
    return HexFormat.of().parseHex(hex);
  }

  @Override
  public int compareTo(Digest other) {
    return toString().compareTo(other.toString());
  }

  @Override
  public String toString() {
    return algorithm + ":" + hex;
  }

  private static boolean isLowerHex(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
        return false;
      }
    }
    return true;
  }

  private static String shown(String text) {
    return "'" + (text.length() > 80 ? text.substring(0, 80) + "…" : text) + "'";
  }
}
