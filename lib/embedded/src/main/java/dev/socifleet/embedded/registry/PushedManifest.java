package dev.socifleet.embedded.registry;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.ImageIndex;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.MalformedDocumentException;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What the registry needs to know of a manifest or index.
 *
 * @param artifactType as the Referrers API says it: an image manifest without one has its config's
 *     media type
 * @param references what must be in the repository; the subject need not
 */
record PushedManifest(
    String mediaType,
    String artifactType,
    List<Descriptor> references,
    Optional<Descriptor> subject,
    Map<String, String> annotations) {

  static PushedManifest read(byte[] bytes, String contentType) throws Problem {
    String header = contentType.split(";", 2)[0].strip();
    try {
      String stated = OciJson.mediaTypeOf(bytes);
      String mediaType = header.isEmpty() ? stated : header;
      boolean index = MediaTypes.isIndex(mediaType);
      if (!index && !MediaTypes.isManifest(mediaType)) {
        throw new Problem(
            400,
            "MANIFEST_INVALID",
            "media type '" + mediaType + "' isn't one of " + MediaTypes.MANIFESTS);
      }
      if (index) {
        ImageIndex parsed = OciJson.index(bytes);
        agree(mediaType, parsed.mediaType());
        return new PushedManifest(
            mediaType,
            parsed.artifactType(),
            parsed.manifests(),
            Optional.ofNullable(parsed.subject()),
            parsed.annotations());
      }
      ImageManifest parsed = OciJson.manifest(bytes);
      agree(mediaType, parsed.mediaType());
      List<Descriptor> references = new ArrayList<>();
      Stream.concat(Stream.of(parsed.config()), parsed.layers().stream())
          .filter(descriptor -> descriptor.urls().isEmpty()) // foreign layers lie elsewhere
          .forEach(references::add);
      return new PushedManifest(
          mediaType,
          parsed.artifactType().isEmpty() ? parsed.config().mediaType() : parsed.artifactType(),
          references,
          Optional.ofNullable(parsed.subject()),
          parsed.annotations());
    } catch (MalformedDocumentException e) {
      throw new Problem(400, "MANIFEST_INVALID", String.valueOf(e.getMessage()));
    }
  }

  private static void agree(String header, String stated) throws Problem {
    if (!stated.isEmpty() && !stated.equals(header)) {
      throw new Problem(
          400,
          "MANIFEST_INVALID",
          "Content-Type is " + header + ", the manifest says " + stated + " of itself");
    }
  }
}
