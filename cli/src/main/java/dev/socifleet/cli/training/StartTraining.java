package dev.socifleet.cli.training;

import dev.socifleet.cli.Lifetime;
import dev.socifleet.cli.Soci;
import dev.socifleet.cli.up.Stack;
import dev.socifleet.cli.up.StackPlan;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Enumeration;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/**
 * What the launcher runs once for each build, so that the JVM can archive the classes that
 * commands, or with the argument {@code services} also the services, need, and what it learned of
 * the methods that are hot when layers are decoded. Prints nothing.
 */
public final class StartTraining {
  /** Enough to have the decoder compiled, and its profile filled. */
  private static final long SAMPLE_BYTES = 32 << 20;

  private static final int BUILDS = 3;

  private StartTraining() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    System.setOut(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
    Path directory = Files.createTempDirectory("soci-start-");
    try {
      commands(directory);
      if (args.length == 1 && args[0].equals("services")) {
        try (Lifetime life = Lifetime.begin()) {
          Stack.start(StackPlan.trial(directory.resolve("state")), life);
        }
      }
    } finally {
      delete(directory);
    }
    System.exit(0); // whatever threads the services have left
  }

  private static void commands(Path directory) throws IOException {
    Path layer = directory.resolve("layer.tar.gz");
    Path ztoc = directory.resolve("layer.ztoc");
    Path file = directory.resolve("file");
    String name = sample(layer);
    run("--version");
    run("--help");
    for (int i = 0; i < BUILDS; i++) {
      run("ztoc", "build", layer.toString(), "--output", ztoc.toString(), "--json");
    }
    run("ztoc", "build", plain(layer).toString(), "--output", ztoc.toString());
    run("ztoc", "build", layer.toString(), "--output", ztoc.toString());
    run("ztoc", "verify", layer.toString(), ztoc.toString());
    run("ztoc", "list", ztoc.toString());
    run("ztoc", "info", ztoc.toString());
    run(
        "ztoc",
        "get-file",
        ztoc.toString(),
        name,
        "--layer",
        layer.toString(),
        "--output",
        file.toString());
    Path image = SampleLayout.write(directory.resolve("image"), layer);
    String converted = directory.resolve("converted.tar").toString();
    String again = directory.resolve("again.tar").toString();
    run("convert", "--standalone", "--min-layer-size", "0", image.toString(), converted);
    run("convert", "--standalone", "--min-layer-size", "0", converted, again); // from an archive
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }

  private static void run(String... command) {
    int status = Soci.run(command);
    if (status != 0) {
      throw new IllegalStateException(
          "soci " + String.join(" ", command) + " ended with " + status);
    }
  }

  /** A layer of what is in the jars of the class path; gives the name of a file in it. */
  private static String sample(Path layer) throws IOException {
    String last = "";
    long left = SAMPLE_BYTES;
    try (TarArchiveOutputStream tar =
        new TarArchiveOutputStream(new GZIPOutputStream(Files.newOutputStream(layer), 1 << 16))) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
      for (String jar : System.getProperty("java.class.path").split(File.pathSeparator)) {
        if (left <= 0) {
          break;
        }
        try (ZipFile zip = new ZipFile(jar)) {
          Enumeration<? extends ZipEntry> entries = zip.entries();
          while (entries.hasMoreElements() && left > 0) {
            ZipEntry entry = entries.nextElement();
            if (!entry.isDirectory()) {
              last = entry.getName();
              left -= add(tar, zip, entry);
            }
          }
        }
      }
    }
    return last;
  }

  /** The layer without its compression. */
  private static Path plain(Path layer) throws IOException {
    Path tar = layer.resolveSibling("layer.tar");
    try (InputStream bytes = new GZIPInputStream(Files.newInputStream(layer))) {
      Files.copy(bytes, tar);
    }
    return tar;
  }

  private static long add(TarArchiveOutputStream tar, ZipFile zip, ZipEntry entry)
      throws IOException {
    TarArchiveEntry member = new TarArchiveEntry(entry.getName());
    member.setSize(entry.getSize());
    tar.putArchiveEntry(member);
    try (InputStream bytes = zip.getInputStream(entry)) {
      bytes.transferTo(tar);
    }
    tar.closeArchiveEntry();
    return entry.getSize();
  }
}
