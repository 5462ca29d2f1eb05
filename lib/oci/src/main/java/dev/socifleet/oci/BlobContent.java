package dev.socifleet.oci;

import java.io.IOException;
import java.io.InputStream;

/** The bytes of a blob to upload, openable again for a retry. */
@FunctionalInterface
public interface BlobContent {
  InputStream open() throws IOException;

  static BlobContent of(byte[] bytes) {
    return () -> new java.io.ByteArrayInputStream(bytes);
  }
}
