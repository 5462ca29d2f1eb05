package dev.socifleet.cli.convert;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.socifleet.cli.build.BuildOutput;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.Platforms;
import dev.socifleet.sociindex.V2Conversion.Converted;
import dev.socifleet.sociindex.V2Conversion.Indexed;
import java.util.List;
import java.util.Map;

/**
 * A converted image.
 *
 * @param source digest of the image before
 * @param indexes of its platforms that have one
 */
record ConversionResult(Digest source, Converted converted, List<Indexed> indexes) {
  ConversionResult {
    indexes = List.copyOf(indexes);
  }

  Descriptor root() {
    return Descriptor.of(
        converted.root().mediaType(), converted.root().digest(), converted.root().bytes().length);
  }

  /** Which digests took the place of which: for those who have pinned the image. */
  void print(BuildOutput output) {
    for (Map.Entry<Digest, Digest> change : converted.replaced().entrySet()) {
      if (!change.getKey().equals(change.getValue())) {
        output.line("manifest " + change.getKey() + " -> " + change.getValue());
      }
    }
    output.line("image " + source + " -> " + converted.root().digest());
    output.result(converted.root().digest().toString(), json());
  }

  ObjectNode json() {
    ObjectNode json = new JsonMapper().createObjectNode();
    json.put("source", source.toString()).put("image", converted.root().digest().toString());
    ObjectNode replaced = json.putObject("replaced");
    converted.replaced().forEach((from, to) -> replaced.put(from.toString(), to.toString()));
    ArrayNode all = json.putArray("indexes");
    for (Indexed index : indexes) {
      all.addObject()
          .put("platform", Platforms.text(index.platform()))
          .put("manifest", index.manifest().toString())
          .put("index", index.index().digest().toString());
    }
    return json;
  }
}
