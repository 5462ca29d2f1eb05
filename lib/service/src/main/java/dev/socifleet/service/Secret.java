package dev.socifleet.service;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** A text that must not show up in logs. Compared in a time that doesn't depend on its content. */
public final class Secret {
  private final String text;

  public Secret(String text) {
    this.text = text;
  }

  /** The text itself: only for what is sent to whoever must know it. */
  public String reveal() {
    return text;
  }

  /** Whether a caller presented this secret. */
  public boolean matches(String presented) {
    // Hashing first makes the two equally long, so that not even the length shows.
    return MessageDigest.isEqual(sha256(text), sha256(presented));
  }

  private static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  @Override
  public String toString() {
    return "Secret[…]";
  }
}
