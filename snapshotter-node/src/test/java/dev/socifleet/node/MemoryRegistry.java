package dev.socifleet.node;

import dev.socifleet.oci.BlobContent;
import dev.socifleet.oci.ByteRange;
import dev.socifleet.oci.Credential;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Registries;
import dev.socifleet.oci.RegistryException;
import dev.socifleet.oci.Repository;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.sociindex.SociIndex;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * One registry in memory, named {@value #HOST}; every repository has everything. Reading only: what
 * a node has no business to do fails the test. Requests are noted as {@code blob <digest> <range>},
 * {@code manifest <ref>}, {@code referrers <digest>}, {@code authorization}.
 */
public final class MemoryRegistry implements Registries {
  public static final String HOST = "registry.test";
  public static final RepositoryName REPOSITORY = new RepositoryName(HOST, "team/app");

  /** Runs before a request is answered: to fail it, or to hold it up. */
  @FunctionalInterface
  public interface Hook {
    void before(String request) throws RegistryException, InterruptedException;
  }

  /** Gives another body than the stored bytes. */
  @FunctionalInterface
  public interface Body {
    InputStream of(byte[] stored);
  }

  private final Map<String, ManifestBlob> manifests = new ConcurrentHashMap<>();
  private final Map<Digest, byte[]> blobs = new ConcurrentHashMap<>();
  private final Map<Digest, List<Descriptor>> referrers = new ConcurrentHashMap<>();
  private final Map<Digest, Body> bodies = new ConcurrentHashMap<>();
  private final List<String> requests = Collections.synchronizedList(new ArrayList<>());
  private final List<Hook> hooks = new CopyOnWriteArrayList<>();
  private final Map<String, String> opened = new ConcurrentHashMap<>();
  private volatile Optional<String> authorization = Optional.empty();

  public static RegistryException failure(int status, boolean temporary) {
    return new RegistryException("cannot: " + status, status, List.of(), temporary, null, null);
  }

  public void hook(Hook hook) {
    hooks.add(hook);
  }

  public void clearHooks() {
    hooks.clear();
  }

  public void authorization(String header) {
    authorization = Optional.of(header);
  }

  public Digest putBlob(byte[] bytes) {
    Digest digest = Digest.of(bytes);
    blobs.put(digest, bytes);
    return digest;
  }

  public void removeBlob(Digest digest) {
    blobs.remove(digest);
  }

  /** From now on this blob, or the range asked for of it, is sent in this form. */
  public void body(Digest blob, Body body) {
    bodies.put(blob, body);
  }

  public void honest(Digest blob) {
    bodies.remove(blob);
  }

  public ManifestBlob putManifest(ManifestBlob manifest, @Nullable String tag) {
    manifests.put(manifest.digest().toString(), manifest);
    if (tag != null) {
      manifests.put(tag, manifest);
    }
    return manifest;
  }

  /** Stores an image of these layers without a config blob. */
  public ManifestBlob putImage(List<Descriptor> layers, Map<String, String> annotations) {
    byte[] bytes =
        OciJson.write(
            new ImageManifest(
                MediaTypes.OCI_MANIFEST,
                "",
                Descriptor.of(MediaTypes.OCI_CONFIG, Digest.of(new byte[0]), 0),
                layers,
                null,
                annotations));
    return putManifest(new ManifestBlob(MediaTypes.OCI_MANIFEST, Digest.of(bytes), bytes), null);
  }

  /** Stores a v1 index as a referrer of its subject. */
  public void putIndex(SociIndex index) {
    ManifestBlob manifest = putManifest(index.manifest(), null);
    referrers
        .computeIfAbsent(
            Objects.requireNonNull(index.subject()).digest(), _ -> new CopyOnWriteArrayList<>())
        .add(
            Descriptor.of(manifest.mediaType(), manifest.digest(), manifest.bytes().length)
                .withArtifactType(index.version().type()));
  }

  /** What was asked for, in order. */
  public List<String> requests() {
    synchronized (requests) {
      return List.copyOf(requests);
    }
  }

  public void clearRequests() {
    requests.clear();
  }

  /** How often repositories were opened, that is, credentials read. */
  public int timesOpened() {
    return opened.size();
  }

  private void request(String request) throws RegistryException {
    requests.add(request);
    try {
      for (Hook hook : hooks) {
        hook.before(request);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failure(0, true);
    }
  }

  @Override
  public Repository repository(RepositoryName name) throws RegistryException {
    if (!allows(name.registry())) {
      throw failure(0, false);
    }
    opened.put(name + "#" + opened.size(), "");
    return new OneRepository(name);
  }

  @Override
  public Repository repository(RepositoryName name, Credential credential) {
    throw new AssertionError("a node has no credential of a caller's");
  }

  @Override
  public boolean allows(String registry) {
    return registry.equals(HOST);
  }

  @Override
  public void close() {}

  private final class OneRepository implements Repository {
    private final RepositoryName name;

    OneRepository(RepositoryName name) {
      this.name = name;
    }

    @Override
    public RepositoryName name() {
      return name;
    }

    @Override
    public Optional<ManifestBlob> manifest(String tagOrDigest) throws RegistryException {
      request("manifest " + tagOrDigest);
      return Optional.ofNullable(manifests.get(tagOrDigest));
    }

    @Override
    public InputStream openBlob(Digest blob) throws RegistryException {
      request("blob " + blob);
      return body(blob, stored(blob));
    }

    @Override
    public InputStream openBlob(Digest blob, ByteRange range) throws RegistryException {
      request("blob " + blob + " " + range.toHttp());
      byte[] stored = stored(blob);
      if (range.end() > stored.length) {
        throw failure(416, false);
      }
      return body(
          blob, java.util.Arrays.copyOfRange(stored, (int) range.start(), (int) range.end()));
    }

    private InputStream body(Digest blob, byte[] bytes) {
      Body body = bodies.get(blob);
      return body == null ? new ByteArrayInputStream(bytes) : body.of(bytes);
    }

    private byte[] stored(Digest blob) throws RegistryException {
      byte[] stored = blobs.get(blob);
      if (stored == null) {
        throw failure(404, false);
      }
      return stored;
    }

    @Override
    public List<Descriptor> referrers(Digest subject, @Nullable String artifactType)
        throws RegistryException {
      request("referrers " + subject);
      return referrers.getOrDefault(subject, List.of()).stream()
          .filter(d -> artifactType == null || d.artifactType().equals(artifactType))
          .toList();
    }

    @Override
    public Optional<String> pullAuthorization() throws RegistryException {
      request("authorization");
      return authorization;
    }

    @Override
    public Optional<Descriptor> headManifest(String tagOrDigest) {
      throw unexpected("headManifest");
    }

    @Override
    public OptionalLong blobSize(Digest blob) {
      throw unexpected("blobSize: sizes come from the manifest");
    }

    @Override
    public boolean putManifest(String tagOrDigest, String mediaType, byte[] bytes) {
      throw unexpected("putManifest");
    }

    @Override
    public boolean deleteManifest(String tagOrDigest) {
      throw unexpected("deleteManifest");
    }

    @Override
    public void putBlob(Digest blob, long size, BlobContent content) {
      throw unexpected("putBlob");
    }

    @Override
    public boolean mountBlob(Digest blob, RepositoryName from) {
      throw unexpected("mountBlob");
    }

    @Override
    public void putReferrer(Digest subject, ManifestBlob manifest) {
      throw unexpected("putReferrer");
    }

    @Override
    public List<String> tags() {
      throw unexpected("tags");
    }

    private AssertionError unexpected(String what) {
      return new AssertionError("a node doesn't do this: " + what);
    }
  }
}
