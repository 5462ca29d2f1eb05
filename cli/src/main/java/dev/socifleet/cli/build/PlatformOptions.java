package dev.socifleet.cli.build;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.Platform;
import dev.socifleet.oci.Platforms;
import dev.socifleet.sociindex.ImageTree;
import dev.socifleet.sociindex.PlatformChoice;
import dev.socifleet.sociindex.PlatformChoice.Chosen;
import dev.socifleet.sociindex.PlatformChoice.NoSuchPlatform;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Which platforms of an image a command works on. */
public final class PlatformOptions {
  @Option(
      names = {"-p", "--platform"},
      paramLabel = "OS/ARCH",
      split = ",",
      converter = PlatformText.class,
      description = "A platform, such as linux/arm64/v8; may be repeated.")
  private List<Platform> platforms = new ArrayList<>();

  @Option(names = "--all-platforms", description = "Every platform that the image has.")
  private boolean all;

  /** What was asked for; {@code otherwise} where nothing was. */
  public PlatformChoice choice(PlatformChoice otherwise) {
    if (all) {
      return new PlatformChoice.All();
    }
    return platforms.isEmpty() ? otherwise : new PlatformChoice.These(platforms);
  }

  /**
   * The images of the platforms that are meant.
   *
   * @throws CommandFailure where there is none, or one of them is missing
   */
  public static List<Chosen> chosen(
      PlatformChoice platforms, ManifestBlob target, ImageTree.Documents documents)
      throws IOException {
    try {
      return platforms.of(ImageTree.read(target, documents));
    } catch (NoSuchPlatform e) {
      throw new CommandFailure(String.valueOf(e.getMessage()));
    }
  }

  /** This machine's platform, or the only one of an image that has one. */
  public static PlatformChoice standard() {
    return new PlatformChoice.Standard(machine());
  }

  /** This machine, as containerd names it: with a variant where the architecture has one. */
  private static Platform machine() {
    Platform host = Platforms.host();
    return host.architecture().equals("arm64") ? Platform.of(host.os(), "arm64", "v8") : host;
  }

  /** A platform as people write it. */
  public static final class PlatformText implements ITypeConverter<Platform> {
    @Override
    public Platform convert(String text) {
      try {
        return Platforms.parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(Objects.requireNonNull(e.getMessage()));
      }
    }
  }
}
