package dev.socifleet.cli.images;

import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** What the OCI image specification asks of a document, as a JSON schema. */
enum ImageSpec {
  LAYOUT,
  INDEX,
  MANIFEST,
  CONFIG;

  private static final String ID = "https://soci-fleet.test/image-spec";
  private static final SchemaRegistry SCHEMAS =
      SchemaRegistry.withDefaultDialect(
          SpecificationVersion.DRAFT_2020_12, schemas -> schemas.schemas(Map.of(ID, text())));

  private static String text() {
    try (InputStream in = ImageSpec.class.getResourceAsStream("/image-spec/schema.json")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What is wrong with a document; empty where nothing is. */
  List<String> violations(byte[] document) {
    return SCHEMAS
        .getSchema(SchemaLocation.of(ID + "#/$defs/" + name().toLowerCase(java.util.Locale.ROOT)))
        .validate(new String(document, StandardCharsets.UTF_8), InputFormat.JSON)
        .stream()
        .map(Error::toString)
        .toList();
  }
}
