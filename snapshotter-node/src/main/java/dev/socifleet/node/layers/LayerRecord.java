package dev.socifleet.node.layers;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import java.io.IOException;
import java.util.List;

/**
 * What the database keeps of a layer; the record's key is its slot.
 *
 * @param slot from 1, never given to another layer
 * @param firstIno the inode numbers {@code firstIno} to {@code firstIno + nodes - 1} are its own
 * @param repositories where its spans can be pulled from, the latest first
 */
record LayerRecord(
    LayerKey key, int slot, long firstIno, int nodes, List<RepositoryName> repositories) {
  private static final JsonMapper JSON =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  private record Form(
      String layer, String ztoc, long firstIno, int nodes, List<String> repositories) {}

  LayerRecord {
    repositories = List.copyOf(repositories);
  }

  byte[] write() {
    try {
      return JSON.writeValueAsBytes(
          new Form(
              key.layer().toString(),
              key.ztoc().toString(),
              firstIno,
              nodes,
              repositories.stream().map(RepositoryName::toString).toList()));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a record of texts and numbers is always JSON", e);
    }
  }

  static LayerRecord read(String slot, byte[] json) throws IOException {
    try {
      Form form = JSON.readValue(json, Form.class);
      return new LayerRecord(
          new LayerKey(Digest.parse(form.layer), Digest.parse(form.ztoc)),
          Integer.parseInt(slot),
          form.firstIno,
          form.nodes,
          form.repositories.stream().map(RepositoryName::parse).toList());
    } catch (IOException | RuntimeException e) {
      throw new IOException("the record of layer slot " + slot + " is broken: " + e, e);
    }
  }
}
