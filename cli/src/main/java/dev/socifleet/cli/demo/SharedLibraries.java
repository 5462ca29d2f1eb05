package dev.socifleet.cli.demo;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What programs need to be loaded, as ldd tells it: the dynamic linker and shared libraries. */
final class SharedLibraries {
  // "libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)", "/lib64/ld-linux-x86-64.so.2 (0x…)"
  private static final Pattern LINE = Pattern.compile("(?m)^\\s*(?:\\S+ => )?(/\\S+) \\(0x");

  private SharedLibraries() {}

  /**
   * The libraries of these programs and libraries, under the names by which they are opened.
   * Programs that aren't linked dynamically need none.
   */
  static SortedSet<Path> of(List<Path> programs) throws IOException, InterruptedException {
    SortedSet<Path> libraries = new TreeSet<>();
    for (Path program : programs) {
      Process ldd = new ProcessBuilder("ldd", program.toString()).redirectErrorStream(true).start();
      ldd.getOutputStream().close();
      String said = new String(ldd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      ldd.waitFor();
      Matcher line = LINE.matcher(said);
      while (line.find()) {
        libraries.add(Path.of(line.group(1)).normalize());
      }
    }
    return libraries;
  }
}
