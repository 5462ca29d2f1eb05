package dev.socifleet.sociindex;

import dev.socifleet.oci.Platform;
import dev.socifleet.oci.Platforms;
import dev.socifleet.sociindex.ImageTree.PlatformImage;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Which of an image's platforms are meant. */
public sealed interface PlatformChoice {
  /** Every platform that the image has. */
  record All() implements PlatformChoice {}

  /** The only one of a single image; of several, the machine's. */
  record Standard(Platform machine) implements PlatformChoice {}

  /** These, each of which the image must have. */
  record These(List<Platform> platforms) implements PlatformChoice {
    public These {
      platforms = List.copyOf(platforms);
    }
  }

  /**
   * An image that was chosen.
   *
   * @param platform as it was asked for, which may say less than the image's
   */
  record Chosen(Platform platform, PlatformImage image) {}

  /** The image has nothing to choose, or lacks what was asked for. */
  final class NoSuchPlatform extends Exception {
    NoSuchPlatform(String message) {
      super(message);
    }
  }

  /** The chosen images, each platform once, in the order of the platforms asked for. */
  default List<Chosen> of(List<PlatformImage> images) throws NoSuchPlatform {
    if (images.isEmpty()) {
      throw new NoSuchPlatform("image does not support any platforms: it holds no image manifest");
    }
    List<Platform> wanted =
        switch (this) {
          case All() -> images.stream().map(PlatformImage::platform).toList();
          case Standard(Platform machine) ->
              images.size() == 1 ? List.of(images.getFirst().platform()) : List.of(machine);
          case These(List<Platform> platforms) -> platforms;
        };
    List<Chosen> chosen = new ArrayList<>();
    for (Platform platform : wanted) {
      if (chosen.stream().noneMatch(before -> Platforms.same(before.platform(), platform))) {
        chosen.add(
            new Chosen(
                platform,
                images.stream()
                    .filter(image -> Platforms.same(image.platform(), platform))
                    .findFirst()
                    .orElseThrow(() -> missing(platform, images))));
      }
    }
    return chosen;
  }

  private static NoSuchPlatform missing(Platform platform, List<PlatformImage> images) {
    return new NoSuchPlatform(
        "image manifest for "
            + Platforms.text(platform)
            + ": not found; the image has "
            + images.stream()
                .map(image -> Platforms.text(image.platform()))
                .distinct()
                .collect(Collectors.joining(", "))
            + ": choose with --platform or --all-platforms");
  }
}
