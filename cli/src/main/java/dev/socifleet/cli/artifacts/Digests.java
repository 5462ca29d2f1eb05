package dev.socifleet.cli.artifacts;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.store.Artifact;
import dev.socifleet.cli.store.Catalogue;
import dev.socifleet.oci.Digest;
import java.io.IOException;

/** Digests as people give them. */
final class Digests {
  private Digests() {}

  static Digest parse(String text) {
    try {
      return Digest.parse(text);
    } catch (IllegalArgumentException e) {
      throw new CommandFailure("'" + text + "' is no digest: " + e.getMessage(), 2);
    }
  }

  /** The artifact of a kind with this digest. */
  static Artifact find(Catalogue catalogue, String text, Artifact.Type type) throws IOException {
    Digest digest = parse(text);
    return catalogue
        .find(digest)
        .filter(artifact -> artifact.type() == type)
        .orElseThrow(() ->
            new CommandFailure(
                "there is no "
                    + switch (type) {
                      case INDEX -> "SOCI index ";
                      case ZTOC -> "zTOC ";
                      case PREFETCH -> "prefetch artifact ";
                    }
                    + digest
                    + " here; see the list, or soci rebuild-db"));
  }
}
