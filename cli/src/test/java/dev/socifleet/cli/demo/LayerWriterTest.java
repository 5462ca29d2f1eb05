package dev.socifleet.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.socifleet.oci.Digest;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LayerWriterTest {
  private static final long SEED = 42;

  @TempDir Path directory;

  private DemoLayer layer(String file, Content content) throws Exception {
    try (LayerWriter writer = new LayerWriter(directory.resolve(file))) {
      content.write(writer);
      return writer.finish("test");
    }
  }

  private interface Content {
    void write(LayerWriter layer) throws Exception;
  }

  private static byte[] inflated(DemoLayer layer) throws Exception {
    try (InputStream gzip = new GZIPInputStream(Files.newInputStream(layer.file()))) {
      return gzip.readAllBytes();
    }
  }

  private static Map<String, TarArchiveEntry> entries(DemoLayer layer) throws Exception {
    Map<String, TarArchiveEntry> entries = new LinkedHashMap<>();
    try (TarArchiveInputStream tar =
        new TarArchiveInputStream(new ByteArrayInputStream(inflated(layer)))) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        assertThat(entries.put(entry.getName(), entry)).as(entry.getName()).isNull();
      }
    }
    return entries;
  }

  /**
   * A tree with what JDKs have: programs, long names, links that stay inside and links that lead
   * out.
   */
  private Path tree() throws Exception {
    Path tree = Files.createDirectories(directory.resolve("tree"));
    Path outside = Files.createDirectories(directory.resolve("outside"));
    Files.writeString(outside.resolve("jvm.cfg"), "-server KNOWN\n");
    Files.createDirectories(tree.resolve("bin"));
    Path program = Files.writeString(tree.resolve("bin/java"), "#!/bin/sh\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.createSymbolicLink(tree.resolve("bin/relative"), Path.of("java"));
    Files.createSymbolicLink(tree.resolve("bin/absolute"), program);
    Files.createSymbolicLink(tree.resolve("bin/outside"), outside.resolve("jvm.cfg"));
    Files.createSymbolicLink(tree.resolve("bin/nowhere"), Path.of("/none/at/all"));
    Files.createSymbolicLink(tree.resolve("conf"), outside);
    Files.writeString(tree.resolve("x".repeat(180)), "a long name");
    byte[] bytes = new byte[300_000];
    new Random(SEED).nextBytes(bytes);
    Files.write(tree.resolve("modules"), bytes);
    return tree;
  }

  private static TarArchiveEntry entry(Map<String, TarArchiveEntry> entries, String name) {
    TarArchiveEntry entry = entries.get(name);
    if (entry == null) {
      throw new AssertionError(name + " isn't in " + entries.keySet());
    }
    return entry;
  }

  @Test
  void digestsAndSizesAreThoseOfTheBlobAndOfTheTarInside() throws Exception {
    Path tree = tree();
    DemoLayer layer = layer("a", writer -> writer.tree(tree, "opt/java", path -> true));

    assertThat(layer.digest()).isEqualTo(Digest.of(Files.readAllBytes(layer.file())));
    assertThat(layer.size()).isEqualTo(Files.size(layer.file()));
    byte[] tar = inflated(layer);
    assertThat(layer.diffId()).isEqualTo(Digest.of(tar));
    assertThat(layer.uncompressedSize()).isEqualTo(tar.length);
  }

  @Test
  void theSameTreeGivesTheSameBytes() throws Exception {
    Path tree = tree();
    DemoLayer first = layer("a", writer -> writer.tree(tree, "opt/java", path -> true));
    DemoLayer second = layer("b", writer -> writer.tree(tree, "opt/java", path -> true));

    assertThat(second.digest()).isEqualTo(first.digest());
  }

  @Test
  void aTreeComesWithItsParentsAndModesAndBelongsToRoot() throws Exception {
    Path tree = tree();
    Map<String, TarArchiveEntry> entries =
        entries(layer("a", writer -> writer.tree(tree, "opt/java", path -> true)));

    assertThat(entries.keySet())
        .startsWith("opt/", "opt/java/")
        .contains("opt/java/bin/java", "opt/java/modules", "opt/java/" + "x".repeat(180));
    assertThat(entry(entries, "opt/java/bin/java").getMode() & 07777).isEqualTo(0755);
    assertThat(entries.values())
        .allSatisfy(entry -> {
          assertThat(entry.getLongUserId()).isZero();
          assertThat(entry.getLongGroupId()).isZero();
        });
  }

  @Test
  void linksInsideStayLinksAndLinksOutsideBecomeWhatTheyLeadTo() throws Exception {
    Path tree = tree();
    Map<String, TarArchiveEntry> entries =
        entries(layer("a", writer -> writer.tree(tree, "opt/java", path -> true)));

    assertThat(entry(entries, "opt/java/bin/relative").getLinkName()).isEqualTo("java");
    assertThat(entry(entries, "opt/java/bin/absolute").getLinkName()).isEqualTo("java");
    assertThat(entry(entries, "opt/java/bin/outside").isFile()).isTrue();
    assertThat(entry(entries, "opt/java/conf/").isDirectory()).isTrue();
    assertThat(entry(entries, "opt/java/conf/jvm.cfg").getSize()).isEqualTo(14);
    assertThat(entries).doesNotContainKey("opt/java/bin/nowhere");
  }

  @Test
  void anInterruptionEndsTheWriting() throws Exception {
    Path tree = tree();
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> layer("a", writer -> writer.tree(tree, "opt/java", path -> true)))
        .isInstanceOf(InterruptedIOException.class);
    assertThat(Thread.interrupted()).isFalse();
  }
}
