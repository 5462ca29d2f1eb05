package dev.socifleet.systemtests;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.regex.Pattern;

/** The README, as its fenced blocks. */
record Readme(String text) {
  static Readme read() throws IOException {
    return new Readme(Files.readString(ProjectRoot.find().resolve("README.md")));
  }

  /** The commands of all {@code sh} blocks, in their order, one a line. */
  List<String> commands() {
    return blocks("sh").stream().flatMap(String::lines).filter(line -> !line.isBlank()).toList();
  }

  /** The only block of a kind that holds a text. */
  String block(String kind, String containing) {
    List<String> found = blocks(kind).stream().filter(block -> block.contains(containing)).toList();
    if (found.size() != 1) {
      throw new AssertionError(
          found.size() + " blocks of " + kind + " in the README hold " + containing);
    }
    return found.getFirst();
  }

  private List<String> blocks(String kind) {
    return Pattern.compile("^```" + kind + "\\n(.*?)^```", Pattern.DOTALL | Pattern.MULTILINE)
        .matcher(text)
        .results()
        .map(block -> block.group(1))
        .toList();
  }
}
