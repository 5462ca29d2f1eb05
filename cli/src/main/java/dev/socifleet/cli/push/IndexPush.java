package dev.socifleet.cli.push;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.build.PlatformOptions;
import dev.socifleet.cli.store.Artifact;
import dev.socifleet.cli.store.ArtifactStore;
import dev.socifleet.cli.store.ContainerdImage;
import dev.socifleet.cli.store.LocalStores;
import dev.socifleet.oci.BlobContent;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Platforms;
import dev.socifleet.oci.Repository;
import dev.socifleet.sociindex.PlatformChoice;
import dev.socifleet.sociindex.PlatformChoice.Chosen;
import dev.socifleet.sociindex.SociTerms;
import dev.socifleet.sociindex.publish.IndexPublisher;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Pushes the newest v1 index of each platform, with its zTOCs, as a referrer of the image. */
final class IndexPush {
  private static final int LARGEST_BLOB = 512 << 20;

  private final LocalStores stores;
  private final Repository repository;
  private final PushOutput output;
  private final int uploads;

  /**
   * @param uploads how many blobs are uploaded at a time
   */
  IndexPush(LocalStores stores, Repository repository, PushOutput output, int uploads) {
    this.stores = stores;
    this.repository = repository;
    this.output = output;
    this.uploads = uploads;
  }

  void run(String name, PlatformChoice platforms, ExistingIndex existing) throws IOException {
    ContainerdImage content = new ContainerdImage(stores.content());
    List<Chosen> chosen =
        PlatformOptions.chosen(platforms, content.target(stores.image(name)), content);
    List<Artifact> indexes = stores.catalogue().all(Artifact.Type.INDEX);
    for (Chosen one : chosen) {
      Digest manifest = one.image().descriptor().digest();
      Artifact index = newest(one, manifest, indexes);
      if (existing == ExistingIndex.allow || mayPush(manifest, existing)) {
        push(manifest, index);
      }
    }
  }

  private Artifact newest(Chosen one, Digest manifest, List<Artifact> indexes) {
    for (Artifact index : indexes) {
      if (index.of().equals(manifest)) {
        if (index.artifactType().equals(SociTerms.V1_TYPE)) {
          return index;
        }
        output.line(
            "[WARN] Skippping SOCI index manifest v2. You should push the whole image with higher"
                + " level tools like finch or nerdctl.");
      }
    }
    throw new CommandFailure(
        "could not find any soci index manifest v1 to push for platform "
            + Platforms.text(one.platform())
            + "; make one with soci create");
  }

  private boolean mayPush(Digest manifest, ExistingIndex existing) throws IOException {
    output.line("checking if a soci index already exists in remote repository...");
    List<Descriptor> there = repository.referrers(manifest, SociTerms.V1_TYPE);
    if (there.isEmpty()) {
      return true;
    }
    String found =
        there.size() == 1
            ? "soci index found in remote repository with digest: " + there.getFirst().digest()
            : "multiple soci indices found in remote repository";
    if (existing == ExistingIndex.skip) {
      output.line(found + ": skipping pushing artifacts for image manifest: " + manifest);
      return false;
    }
    output.line("[WARN] " + found + ": pushing index anyway");
    return true;
  }

  private void push(Digest image, Artifact index) throws IOException {
    output.pushing(index.digest());
    ArtifactStore store = stores.artifacts();
    byte[] bytes = store.read(index.digest(), OciJson.LARGEST_MANIFEST);
    ImageManifest manifest = OciJson.manifest(bytes);
    List<Descriptor> blobs = new ArrayList<>(List.of(manifest.config()));
    blobs.addAll(manifest.layers());
    uploadAll(blobs, store);
    output.line("pushing artifact with digest: " + index.digest());
    Optional<String> refused =
        new IndexPublisher(repository)
            .v1(image, new ManifestBlob(index.mediaType(), index.digest(), bytes));
    if (refused.isPresent()) {
      throw new CommandFailure(refused.get() + "; soci convert makes an image that it takes (v2)");
    }
    output.line("successfully pushed artifact with digest: " + index.digest());
  }

  private void uploadAll(List<Descriptor> blobs, ArtifactStore store) throws IOException {
    try (ExecutorService workers = Executors.newFixedThreadPool(uploads)) {
      List<Future<?>> all = new ArrayList<>();
      for (Descriptor blob : blobs.stream().distinct().toList()) {
        all.add(
            workers.submit(() -> {
              upload(blob, store);
              return null;
            }));
      }
      try {
        for (Future<?> one : all) {
          one.get();
        }
      } catch (ExecutionException e) {
        workers.shutdownNow();
        throw e.getCause() instanceof IOException failure ? failure : new IOException(e.getCause());
      } catch (InterruptedException e) {
        workers.shutdownNow();
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("the push was interrupted");
      }
    }
  }

  private void upload(Descriptor blob, ArtifactStore store) throws IOException {
    if (repository.blobSize(blob.digest()).isPresent()) {
      output.line("skipped artifact with digest: " + blob.digest());
      return;
    }
    output.line("pushing artifact with digest: " + blob.digest());
    byte[] bytes = store.read(blob.digest(), LARGEST_BLOB);
    repository.putBlob(blob.digest(), bytes.length, BlobContent.of(bytes));
    output.line("successfully pushed artifact with digest: " + blob.digest());
  }
}
