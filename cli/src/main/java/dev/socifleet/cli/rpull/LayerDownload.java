package dev.socifleet.cli.rpull;

import dev.socifleet.containerd.BlobWriter;
import dev.socifleet.containerd.ContainerdException;
import dev.socifleet.containerd.ContentStore;
import dev.socifleet.oci.ByteRange;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.RegistryException;
import dev.socifleet.oci.Repository;
import io.grpc.Status;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntConsumer;

/**
 * Brings a layer's blob from the registry into containerd's content store. What an interrupted
 * upload of the same blob left there isn't downloaded again. Thread-safe.
 */
final class LayerDownload {
  private static final int PART = 1 << 20;
  // Beside the retries of each request and of a broken stream, which the registry client does.
  private static final int ATTEMPTS = 3;

  private final Repository repository;
  private final ContentStore store;
  private final Documents documents;
  private final IntConsumer received;

  LayerDownload(
      Repository repository, ContentStore store, Documents documents, IntConsumer received) {
    this.repository = repository;
    this.store = store;
    this.documents = documents;
    this.received = received;
  }

  /** Downloads it unless containerd has it; gives the number of bytes that the registry sent. */
  long download(Descriptor blob) throws IOException {
    String digest = blob.digest().toString();
    String ref = "layer-" + digest;
    LongAdder sent = new LongAdder();
    for (int attempt = 1; ; attempt++) {
      Optional<BlobWriter> missing = store.write(ref, digest, blob.size());
      if (missing.isEmpty()) {
        store.label(digest, documents.source(digest));
        return sent.sum();
      }
      boolean fromStart = missing.get().offset() == 0;
      try (BlobWriter writer = missing.get()) {
        copy(blob, writer, sent);
        writer.commit(documents.source(digest));
        return sent.sum();
      } catch (RegistryException e) {
        if (!e.temporary() || attempt == ATTEMPTS || Thread.currentThread().isInterrupted()) {
          throw e;
        }
      } catch (ContainerdException e) {
        if (e.code() != Status.Code.FAILED_PRECONDITION) {
          throw e;
        }
        store.abort(ref);
        // Other bytes: those that were there before may have been wrong, then once more.
        if (fromStart || attempt == ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  private void copy(Descriptor blob, BlobWriter writer, LongAdder sent) throws IOException {
    if (writer.offset() >= blob.size()) {
      return;
    }
    try (InputStream body =
        writer.offset() == 0
            ? repository.openBlob(blob.digest())
            : repository.openBlob(blob.digest(), new ByteRange(writer.offset(), blob.size()))) {
      byte[] part = new byte[PART];
      for (int count = body.read(part); count >= 0; count = body.read(part)) {
        if (writer.offset() + count > blob.size()) {
          throw new IOException(
              "cannot pull layer "
                  + blob.digest()
                  + ": the registry's blob is larger than its manifest says");
        }
        writer.write(part, 0, count);
        sent.add(count);
        received.accept(count);
      }
    }
  }
}
