package dev.socifleet.service;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.toml.TomlMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A TOML file as dotted keys; each value is a text or, for an array of scalars, several. */
final class SettingsFile {
  private static final long LARGEST = 1 << 20;

  private SettingsFile() {}

  static Map<String, List<String>> read(Path file) {
    JsonNode root;
    try {
      long size = Files.size(file);
      if (size > LARGEST) {
        throw new BadSettingsException(
            List.of("--config: " + file + " has " + size + " bytes; at most " + LARGEST));
      }
      root = new TomlMapper().readTree(Files.readAllBytes(file));
    } catch (JacksonException e) {
      throw new BadSettingsException(
          List.of(
              "--config: "
                  + file
                  + " is not TOML: line "
                  + e.getLocation().getLineNr()
                  + ": "
                  + e.getOriginalMessage()));
    } catch (IOException e) {
      throw new BadSettingsException(List.of("--config: cannot read " + file + ": " + e));
    }
    Map<String, List<String>> flat = new LinkedHashMap<>();
    root.properties().forEach(entry -> flatten(entry.getKey(), entry.getValue(), flat));
    return flat;
  }

  private static void flatten(String key, JsonNode node, Map<String, List<String>> flat) {
    if (node.isObject()) {
      node.properties()
          .forEach(entry -> flatten(key + "." + entry.getKey(), entry.getValue(), flat));
    } else if (node.isArray() && !node.isEmpty() && node.get(0).isContainerNode()) {
      for (int i = 0; i < node.size(); i++) {
        flatten(key + "." + i, node.get(i), flat);
      }
    } else if (node.isArray()) {
      List<String> items = new ArrayList<>();
      node.forEach(item -> items.add(item.asText()));
      flat.put(key, items);
    } else {
      flat.put(key, List.of(node.asText()));
    }
  }
}
