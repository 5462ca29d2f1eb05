package dev.socifleet.oci;

import dev.socifleet.oci.Endpoint.Capability;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.Lock;
import org.jspecify.annotations.Nullable;

/**
 * The manifests that refer to another one: the Referrers API, or the fallback tag {@code
 * <algorithm>-<hex>} of an index that clients keep (distribution specification, "Referrers Tag
 * Schema").
 *
 * <p>The fallback is read-modify-write. It is written with If-Match: where the registry honours it
 * we overwrite nobody. Most ignore it, and other clients don't send it, so ours is looked for again
 * after a while in which a writer that read before us has written, and repaired: writers that all
 * do so lose nothing. Writers in this process wait for each other.
 */
final class Referrers {
  private static final int ATTEMPTS = 10;
  private static final Duration SHORTEST_SETTLING = Duration.ofMillis(200);
  private static final Duration LONGEST_SETTLING = Duration.ofSeconds(2);
  private static final int STEPS = 10;

  /** The fallback tag's index as it was read; empty and without entity tag where there is none. */
  private record Known(
      boolean there, List<Descriptor> entries, Map<String, String> annotations, String etag) {
    boolean has(Digest referrer) {
      return entries.stream().anyMatch(entry -> entry.digest().equals(referrer));
    }

    /** The header under which a write changes this very state (RFC 9110, 13.1). */
    Map<String, String> condition() {
      if (!there) {
        return Map.of("If-None-Match", "*");
      }
      return etag.isEmpty() ? Map.of() : Map.of("If-Match", etag);
    }
  }

  private final HttpRepository repository;
  private final Hosts hosts;

  /** The registry itself: what is changed is read there, too. */
  private final RegistryHttp registry;

  Referrers(HttpRepository repository, Hosts hosts) {
    this.repository = repository;
    this.hosts = hosts;
    registry = hosts.registry();
  }

  /** A mirror that knows of none leaves the question to the next host: it may not know of any. */
  List<Descriptor> of(Digest subject, @Nullable String artifactType) throws RegistryException {
    return hosts
        .first(
            Capability.RESOLVE,
            host -> {
              List<Descriptor> found = of(host, subject, artifactType);
              return found.isEmpty() ? Optional.empty() : Optional.of(found);
            })
        .orElse(List.of());
  }

  private List<Descriptor> of(RegistryHttp host, Digest subject, @Nullable String artifactType)
      throws RegistryException {
    Optional<List<Descriptor>> answered = repository.referrersApi(host, subject, artifactType);
    List<Descriptor> all =
        answered.isPresent() ? answered.get() : fallback(host, subject).entries();
    return all.stream()
        .filter(d -> artifactType == null || d.artifactType().equals(artifactType))
        .toList();
  }

  void put(Digest subject, ManifestBlob manifest) throws RegistryException {
    if (repository.putManifest(
        manifest.digest().toString(), manifest.mediaType(), manifest.bytes())) {
      return;
    }
    if (repository.referrersApi(registry, subject, null).isPresent()) {
      return; // it has the API, but doesn't say so in answer to PUT
    }
    Descriptor wanted = descriptor(manifest);
    Lock lock = registry.known().referrers(repository.name(), subject);
    try {
      lock.lockInterruptibly();
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
    try {
      add(subject, wanted);
    } finally {
      lock.unlock();
    }
  }

  private void add(Digest subject, Descriptor wanted) throws RegistryException {
    @Nullable String refused = null;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      long began = System.nanoTime();
      Known known = fallback(registry, subject);
      if (known.has(wanted.digest())) {
        return;
      }
      // Refused, and yet the tag is as it was: this registry doesn't mean its entity tags.
      Map<String, String> condition = known.etag().equals(refused) ? Map.of() : known.condition();
      if (!repository.putManifestIf(
          condition, tag(subject), MediaTypes.OCI_INDEX, index(subject, known, wanted))) {
        refused = known.etag();
        pause(ThreadLocalRandom.current().nextLong(50));
      } else {
        settle(Duration.ofNanos(System.nanoTime() - began));
      }
    }
    throw new RegistryException(
        "cannot add "
            + wanted.digest()
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

  private byte[] index(Digest subject, Known known, Descriptor wanted) throws RegistryException {
    List<Descriptor> all = new ArrayList<>(known.entries());
    all.add(wanted);
    byte[] index =
        OciJson.write(new ImageIndex(MediaTypes.OCI_INDEX, "", all, null, known.annotations()));
    if (index.length > OciJson.LARGEST_MANIFEST) {
      throw repository.broken(
          "add " + wanted.digest() + " to the referrers of " + subject,
          "the fallback tag's index would be larger than " + OciJson.LARGEST_MANIFEST + " bytes");
    }
    return index;
  }

  private Known fallback(RegistryHttp host, Digest subject) throws RegistryException {
    Optional<HttpRepository.Tagged> found = repository.taggedManifest(host, tag(subject));
    if (found.isEmpty()) {
      return new Known(false, List.of(), Map.of(), "");
    }
    try {
      ImageIndex index = OciJson.index(found.get().manifest().bytes());
      return new Known(true, index.manifests(), index.annotations(), found.get().etag());
    } catch (MalformedDocumentException e) {
      throw repository.broken("read the referrers tag of " + subject, e.getMessage());
    }
  }

  private Descriptor descriptor(ManifestBlob manifest) throws RegistryException {
    try {
      if (MediaTypes.isIndex(manifest.mediaType())) {
        ImageIndex parsed = OciJson.index(manifest.bytes());
        return Descriptor.of(manifest.mediaType(), manifest.digest(), manifest.bytes().length)
            .withAnnotations(parsed.annotations())
            .withArtifactType(parsed.artifactType());
      }
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

  /**
   * Until a writer that read when we did has written: as slow as we were, some times over. A step
   * in which we stood still (a pause of the JVM, a machine that is overloaded) begins it anew: who
   * stood still beside us wrote nothing meanwhile.
   */
  private void settle(Duration took) throws RegistryException {
    long millis =
        Math.clamp(4 * took.toMillis(), SHORTEST_SETTLING.toMillis(), LONGEST_SETTLING.toMillis());
    long step = (millis + ThreadLocalRandom.current().nextLong(50)) / STEPS;
    long began = System.nanoTime();
    for (int done = 0; done < STEPS; ) {
      long stepBegan = System.nanoTime();
      pause(step);
      boolean stoodStill = millisSince(stepBegan) > 3 * step;
      done = stoodStill && millisSince(began) < 2 * LONGEST_SETTLING.toMillis() ? 0 : done + 1;
    }
  }

  private static long millisSince(long nanoTime) {
    return Duration.ofNanos(System.nanoTime() - nanoTime).toMillis();
  }

  private void pause(long millis) throws RegistryException {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  private RegistryException interrupted(InterruptedException cause) {
    Thread.currentThread().interrupt();
    return new RegistryException(
        "cannot update the referrers (" + repository.name() + "): interrupted",
        0,
        List.of(),
        true,
        null,
        cause);
  }
}
