package dev.socifleet.oci;

import java.util.List;
import java.util.Locale;

/**
 * Platforms as containerd normalises and compares them (strictly: same os, architecture, variant).
 */
public final class Platforms {
  private Platforms() {}

  /** The platform of this machine. */
  public static Platform host() {
    String arch = System.getProperty("os.arch");
    return normalise(Platform.of("linux", arch, ""));
  }

  public static boolean same(Platform a, Platform b) {
    Platform left = normalise(a);
    Platform right = normalise(b);
    return left.os().equals(right.os())
        && left.architecture().equals(right.architecture())
        && left.variant().equals(right.variant());
  }

  public static Platform normalise(Platform platform) {
    String os = platform.os().toLowerCase(Locale.ROOT);
    String variant = platform.variant().toLowerCase(Locale.ROOT);
    String architecture = platform.architecture().toLowerCase(Locale.ROOT);
    switch (architecture) {
      case "x86_64", "x86-64", "amd64" -> {
        architecture = "amd64";
        variant = variant.equals("v1") ? "" : variant;
      }
      case "i386", "386" -> {
        architecture = "386";
        variant = "";
      }
      case "aarch64", "arm64" -> {
        architecture = "arm64";
        variant = variant.equals("8") || variant.equals("v8") ? "" : variant;
      }
      case "armhf" -> {
        architecture = "arm";
        variant = "v7";
      }
      case "armel" -> {
        architecture = "arm";
        variant = "v6";
      }
      case "arm" ->
          variant =
              variant.isEmpty() || variant.equals("7")
                  ? "v7"
                  : variant.matches("[568]") ? "v" + variant : variant;
      default -> {
        // every other architecture has one spelling
      }
    }
    return new Platform(
        architecture, os, platform.osVersion(), List.copyOf(platform.osFeatures()), variant);
  }

  /** Parses {@code os/architecture[/variant]}. */
  public static Platform parse(String text) {
    String[] parts = text.split("/", -1);
    if (parts.length < 2 || parts.length > 3 || parts[0].isEmpty() || parts[1].isEmpty()) {
      throw new IllegalArgumentException(
          "not a platform (os/architecture[/variant]): '" + text + "'");
    }
    return normalise(Platform.of(parts[0], parts[1], parts.length == 3 ? parts[2] : ""));
  }

  public static String text(Platform platform) {
    return platform.os()
        + "/"
        + platform.architecture()
        + (platform.variant().isEmpty() ? "" : "/" + platform.variant());
  }
}
