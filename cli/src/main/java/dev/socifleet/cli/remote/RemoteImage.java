package dev.socifleet.cli.remote;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.build.PlatformOptions;
import dev.socifleet.oci.ImageReference;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.Repository;
import dev.socifleet.sociindex.PlatformChoice;
import dev.socifleet.sociindex.PlatformChoice.Chosen;
import java.io.IOException;
import java.util.List;

/** An image at its registry. */
public record RemoteImage(
    Repository repository,
    ImageReference reference,
    ManifestBlob target,
    RepositoryDocuments documents) {
  private static final int USAGE = 2;

  /** Parses a reference as people give it. */
  public static ImageReference parse(String text) {
    try {
      return ImageReference.parse(text);
    } catch (IllegalArgumentException e) {
      throw new CommandFailure(
          "'"
              + text
              + "' is no image reference such as registry.example/app:1.0: "
              + e.getMessage(),
          USAGE);
    }
  }

  /** Reads the manifest that the reference means now. */
  public static RemoteImage find(Repository repository, ImageReference reference)
      throws IOException {
    ManifestBlob target =
        repository
            .manifest(reference.tagOrDigest())
            .orElseThrow(() ->
                new CommandFailure(
                    "there is no image "
                        + reference
                        + "; check the name, and whether the credentials may read it"));
    return new RemoteImage(repository, reference, target, new RepositoryDocuments(repository));
  }

  /** The images of the platforms that are meant. */
  public List<Chosen> chosen(PlatformChoice platforms) throws IOException {
    return PlatformOptions.chosen(platforms, target, documents);
  }
}
