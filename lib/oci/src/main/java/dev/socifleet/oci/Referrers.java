package dev.socifleet.oci;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * The manifests that refer to another one: the Referrers API, or the fallback tag {@code
 * <algorithm>-<hex>} of an index that clients keep (distribution specification, "Referrers Tag
 * Schema").
 *
 * <p>The fallback is read-modify-write and registries rarely offer a condition, so it is read again
 * afterwards and repaired: our own writers, of which the pipeline lets only one at a repository,
 * and retries lose nothing.
 */
final class Referrers {
  private static final int ATTEMPTS = 8;

  private final HttpRepository repository;

  Referrers(HttpRepository repository) {
    this.repository = repository;
  }

  List<Descriptor> of(Digest subject, @Nullable String artifactType) throws RegistryException {
    Optional<List<Descriptor>> answered = repository.referrersApi(subject, artifactType);
    List<Descriptor> all = answered.isPresent() ? answered.get() : fallback(subject);
    return all.stream()
        .filter(d -> artifactType == null || d.artifactType().equals(artifactType))
        .toList();
  }

  void put(Digest subject, ManifestBlob manifest) throws RegistryException {
    if (repository.putManifest(
        manifest.digest().toString(), manifest.mediaType(), manifest.bytes())) {
      return;
    }
    if (repository.referrersApi(subject, null).isPresent()) {
      return; // it has the API, but doesn't say so in answer to PUT
    }
    Descriptor wanted = descriptor(manifest);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      List<Descriptor> known = fallback(subject);
      if (known.stream().anyMatch(d -> d.digest().equals(manifest.digest()))) {
        if (attempt == 0) {
          return;
        }
        pause(50);
        if (fallback(subject).stream().anyMatch(d -> d.digest().equals(manifest.digest()))) {
          return;
        }
      }
      List<Descriptor> all = new ArrayList<>(known);
      all.removeIf(d -> d.digest().equals(manifest.digest()));
      all.add(wanted);
      byte[] index = OciJson.write(new ImageIndex(MediaTypes.OCI_INDEX, "", all, null, Map.of()));
      repository.putManifest(tag(subject), MediaTypes.OCI_INDEX, index);
      pause(20 + ThreadLocalRandom.current().nextInt(50));
    }
    throw new RegistryException(
        "cannot add "
            + manifest.digest()
            + " to the referrers of "
            + subject
            + " ("
            + repository.name()
            + "): other writers overwrote the fallback tag "
            + ATTEMPTS
            + " times",
        0,
        List.of(),
        true,
        null,
        null);
  }

  private List<Descriptor> fallback(Digest subject) throws RegistryException {
    Optional<ManifestBlob> blob = repository.manifest(tag(subject));
    if (blob.isEmpty()) {
      return List.of();
    }
    try {
      return OciJson.index(blob.get().bytes()).manifests();
    } catch (MalformedDocumentException e) {
      throw repository.broken("read the referrers tag of " + subject, e.getMessage());
    }
  }

  private Descriptor descriptor(ManifestBlob manifest) throws RegistryException {
    try {
      ImageManifest parsed = OciJson.manifest(manifest.bytes());
      String type =
          parsed.artifactType().isEmpty() ? parsed.config().mediaType() : parsed.artifactType();
      return Descriptor.of(manifest.mediaType(), manifest.digest(), manifest.bytes().length)
          .withAnnotations(parsed.annotations())
          .withArtifactType(type);
    } catch (MalformedDocumentException e) {
      throw repository.broken("describe referrer " + manifest.digest(), e.getMessage());
    }
  }

  private static String tag(Digest subject) {
    return subject.algorithm() + "-" + subject.hex();
  }

  private void pause(long millis) throws RegistryException {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RegistryException(
          "cannot update the referrers (" + repository.name() + "): interrupted",
          0,
          List.of(),
          true,
          null,
          e);
    }
  }
}
