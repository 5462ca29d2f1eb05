package dev.socifleet.service;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The secret that the services and nodes of one fleet share, as {@code Authorization: Bearer
 * <token>}. It lives in a file of mode 0600.
 */
public final class FleetToken {
  private static final int RANDOM_BYTES = 32;
  private static final int SHORTEST = 16;
  private static final int LONGEST = 4096;
  private static final String SCHEME = "Bearer ";

  private final Secret secret;

  private FleetToken(Secret secret) {
    this.secret = secret;
  }

  /**
   * A token from its text.
   *
   * @throws IllegalArgumentException when it is too short to be a secret, or no header value
   */
  public static FleetToken of(String text) {
    if (text.length() < SHORTEST || text.length() > LONGEST) {
      throw new IllegalArgumentException(
          "a fleet token has " + SHORTEST + " to " + LONGEST + " characters, not " + text.length());
    }
    if (!text.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
      throw new IllegalArgumentException("a fleet token has visible ASCII characters only");
    }
    return new FleetToken(new Secret(text));
  }

  /** Reads the token that must be in {@code file}. */
  public static FleetToken read(Path file) throws IOException {
    if (Files.size(file) > LONGEST + 2) {
      throw new IOException(file + " is too long for a fleet token");
    }
    try {
      return of(Files.readString(file).strip());
    } catch (IllegalArgumentException e) {
      throw new IOException(file + " holds no fleet token: " + e.getMessage(), e);
    }
  }

  /**
   * Reads the token, or makes it where the file doesn't exist. Of several processes that start
   * together one makes it and all get the same.
   */
  public static FleetToken readOrCreate(Path file) throws IOException {
    try {
      return read(file);
    } catch (NoSuchFileException e) {
      create(file);
      return read(file);
    }
  }

  private static void create(Path file) throws IOException {
    byte[] random = new byte[RANDOM_BYTES];
    new SecureRandom().nextBytes(random);
    String text = Base64.getUrlEncoder().withoutPadding().encodeToString(random) + "\n";
    Path directory = file.toAbsolutePath().getParent();
    if (directory == null) {
      throw new IOException("not a file for a fleet token: " + file);
    }
    Files.createDirectories(directory);
    byte[] suffix = new byte[8];
    new SecureRandom().nextBytes(suffix);
    Path unfinished =
        directory.resolve(
            "." + file.getFileName() + "." + Base64.getUrlEncoder().encodeToString(suffix));
    try {
      try (FileChannel channel =
          FileChannel.open(
              unfinished,
              Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
        channel.force(true);
      }
      // link(2) fails where the name exists, so a token that another process made stays.
      Files.createLink(file, unfinished);
    } catch (FileAlreadyExistsException e) {
      if (!Files.exists(file)) {
        throw e;
      }
    } finally {
      Files.deleteIfExists(unfinished);
    }
  }

  /** The value of the {@code Authorization} header that presents this token. */
  public String authorization() {
    return SCHEME + secret.reveal();
  }

  /** Whether an {@code Authorization} header presents this token; a missing one doesn't. */
  public boolean admits(@Nullable String authorization) {
    return authorization != null
        && authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())
        && secret.matches(authorization.substring(SCHEME.length()).strip());
  }

  @Override
  public String toString() {
    return "FleetToken[…]";
  }
}
