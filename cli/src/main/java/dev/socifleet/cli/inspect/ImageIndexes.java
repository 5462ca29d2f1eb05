package dev.socifleet.cli.inspect;

import dev.socifleet.cli.remote.RemoteImage;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.sociindex.IndexDiscovery;
import dev.socifleet.sociindex.IndexDiscovery.Found;
import dev.socifleet.sociindex.PlatformChoice.Chosen;
import dev.socifleet.sociindex.SociIndex.Version;
import java.io.IOException;
import java.util.EnumSet;
import java.util.Optional;

/** The indexes of an image manifest: the one that it names, and the first that refers to it. */
record ImageIndexes(Optional<Found> v2, Optional<Found> v1) {
  static ImageIndexes of(RemoteImage image, Chosen chosen) throws IOException {
    Digest digest = chosen.image().descriptor().digest();
    Optional<ManifestBlob> manifest =
        digest.equals(image.target().digest())
            ? Optional.of(image.target())
            : image.documents().manifest(digest);
    if (manifest.isEmpty()) {
      throw new IOException("manifest " + digest + " isn't there any more");
    }
    return new ImageIndexes(
        IndexDiscovery.find(image.repository(), manifest.get(), null, EnumSet.of(Version.V2)),
        IndexDiscovery.find(image.repository(), manifest.get(), null, EnumSet.of(Version.V1)));
  }

  /** The one that a node uses. */
  Optional<Found> used() {
    return v2.isPresent() ? v2 : v1;
  }
}
