package dev.socifleet.node.snapshots;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.node.layers.LayerKey;
import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A snapshot as JSON, the form in which the database keeps it. Its name is the record's key. */
record SnapshotRecord(
    long id,
    String parent,
    Snapshot.Kind kind,
    Map<String, String> labels,
    String created,
    String updated,
    long usageBytes,
    long usageInodes,
    @Nullable String lazyLayer,
    @Nullable String lazyZtoc) {
  private static final JsonMapper JSON =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  static byte[] write(Snapshot snapshot) {
    LayerKey lazy = snapshot.lazyLayer();
    SnapshotRecord form =
        new SnapshotRecord(
            snapshot.id(),
            snapshot.parent(),
            snapshot.kind(),
            snapshot.labels(),
            snapshot.created().toString(),
            snapshot.updated().toString(),
            snapshot.usage().bytes(),
            snapshot.usage().inodes(),
            lazy == null ? null : lazy.layer().toString(),
            lazy == null ? null : lazy.ztoc().toString());
    try {
      return JSON.writeValueAsBytes(form);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a record of texts and numbers is always JSON", e);
    }
  }

  static Snapshot read(String name, byte[] json) throws IOException {
    try {
      SnapshotRecord form = JSON.readValue(json, SnapshotRecord.class);
      LayerKey lazy =
          form.lazyLayer == null || form.lazyZtoc == null
              ? null
              : new LayerKey(Digest.parse(form.lazyLayer), Digest.parse(form.lazyZtoc));
      return new Snapshot(
          name,
          form.id,
          form.parent,
          form.kind,
          form.labels,
          Instant.parse(form.created),
          Instant.parse(form.updated),
          new Snapshot.Usage(form.usageBytes, form.usageInodes),
          lazy);
    } catch (IOException | RuntimeException e) {
      throw new IOException("the record of snapshot " + name + " is broken: " + e, e);
    }
  }
}
