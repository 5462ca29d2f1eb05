package dev.socifleet.node.layers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What members of an archive become, as the written and mapped node table tells it. */
class LayerTreeTest {
  @TempDir Path directory;
  private int written;

  /** Every path with its type, permissions and what else is special of it. */
  private Map<String, String> tree(MadeLayer layer) throws Exception {
    Path file = directory.resolve("nodes" + written++);
    NodeTableWriter.write(layer.ztoc(), file);
    Map<String, String> paths = new TreeMap<>();
    walk(NodeTable.open(file), 0, "", paths);
    return paths;
  }

  private static void walk(NodeTable table, int node, String path, Map<String, String> paths) {
    String kind =
        switch (table.mode(node) & NodeTableFormat.TYPE) {
          case NodeTableFormat.DIRECTORY -> table.isOpaque(node) ? "opaque" : "dir";
          case NodeTableFormat.REGULAR -> "file " + table.size(node);
          case NodeTableFormat.SYMBOLIC_LINK -> "link " + table.size(node);
          case NodeTableFormat.CHARACTER_DEVICE -> "char";
          case NodeTableFormat.BLOCK_DEVICE -> "block";
          default -> "fifo";
        };
    paths.put(path.isEmpty() ? "/" : path, kind);
    if (table.isDirectory(node)) {
      for (int i = 0; i < table.childCount(node); i++) {
        byte[] name = new byte[table.childNameLength(node, i)];
        table.names().get(table.childNameOffset(node, i), name);
        walk(
            table,
            table.child(node, i),
            path + "/" + new String(name, StandardCharsets.UTF_8),
            paths);
      }
    }
  }

  private static void unservable(String why, MadeLayer layer) throws Exception {
    var ztoc = layer.ztoc();
    assertThatThrownBy(() -> LayerTree.of(ztoc.toc()))
        .isInstanceOf(UnservableLayerException.class)
        .hasMessageContaining(why);
  }

  @Test
  void namesAreCleanedAndMissingDirectoriesMade() throws Exception {
    assertThat(
            tree(
                new MadeLayer()
                    .directory("./", 0755)
                    .file("./a//b/./c", "1")
                    .file("/d", "22")
                    .file("...", "333")
                    .file("e/.f", "")))
        .isEqualTo(
            Map.of(
                "/", "dir", "/a", "dir", "/a/b", "dir", "/a/b/c", "file 1", "/d", "file 2", "/...",
                "file 3", "/e", "dir", "/e/.f", "file 0"));
  }

  @Test
  void laterMembersReplaceEarlierOnesButDirectoriesKeepTheirChildren() throws Exception {
    assertThat(
            tree(
                new MadeLayer()
                    .directory("kept", 0700)
                    .file("kept/x", "1")
                    .directory("kept", 0755)
                    .directory("gone", 0755)
                    .file("gone/x", "1")
                    .file("gone", "22")
                    .file("turned", "1")
                    .directory("turned", 0755)
                    .file("twice", "1")
                    .file("twice", "4444")))
        .isEqualTo(
            Map.of(
                "/", "dir", "/kept", "dir", "/kept/x", "file 1", "/gone", "file 2", "/turned",
                "dir", "/twice", "file 4"));
  }

  @Test
  void whiteoutsHideWhatIsBelowNeverWhatTheLayerHas() throws Exception {
    assertThat(
            tree(
                new MadeLayer()
                    .file("d/.wh.gone", "")
                    .file("d/.wh.before", "")
                    .file("d/before", "1")
                    .file("d/after", "1")
                    .file("d/.wh.after", "")
                    .file("o/.wh..wh..opq", "")
                    .file("o/new", "1")
                    .file(".wh.dir", "")
                    .directory("dir", 0755)
                    .directory("dir2", 0755)
                    .file(".wh.dir2", "")
                    .file(".wh..wh.plnk/1", "")
                    .file(".wh.way", "")
                    .file("way/x", "")))
        .isEqualTo(
            Map.ofEntries(
                Map.entry("/", "dir"),
                Map.entry("/d", "dir"),
                Map.entry("/d/gone", "char"),
                Map.entry("/d/before", "file 1"),
                Map.entry("/d/after", "file 1"),
                Map.entry("/o", "opaque"),
                Map.entry("/o/new", "file 1"),
                Map.entry("/dir", "opaque"),
                Map.entry("/dir2", "opaque"),
                Map.entry("/.wh..wh.plnk", "dir"),
                Map.entry("/.wh..wh.plnk/1", "file 0"),
                Map.entry("/way", "opaque"),
                Map.entry("/way/x", "file 0")));
  }

  @Test
  void hardLinksAreOneNodeWhicheverComesFirst() throws Exception {
    Path file = directory.resolve("links");
    NodeTableWriter.write(
        new MadeLayer()
            .hardLink("early", "late")
            .file("late", "123")
            .hardLink("again", "./early")
            .symbolicLink("s", "nowhere")
            .hardLink("t", "s")
            .ztoc(),
        file);
    NodeTable table = NodeTable.open(file);

    assertThat(table.nodes()).isEqualTo(3);
    assertThat(table.childCount(0)).isEqualTo(5);
    var attributes = new dev.socifleet.fuse.Attributes();
    table.fill(table.child(0, 0), attributes); // again
    assertThat(attributes.links).isEqualTo(3);
    assertThat(attributes.size).isEqualTo(3);
    assertThat(table.child(0, 1)).isEqualTo(table.child(0, 0)).isEqualTo(table.child(0, 2));
    assertThat(table.child(0, 3)).isEqualTo(table.child(0, 4));
  }

  @Test
  void aLinkKeepsTheFileThatItsTargetWasWhenItCame() throws Exception {
    assertThat(tree(new MadeLayer().file("a", "1").hardLink("b", "a").file("a", "22")))
        .isEqualTo(Map.of("/", "dir", "/a", "file 2", "/b", "file 1"));
  }

  @Test
  void whatCannotBeShownTrulyIsSaid() throws Exception {
    unservable("doesn't have", new MadeLayer().hardLink("a", "b"));
    unservable("doesn't have", new MadeLayer().hardLink("a", "b").hardLink("b", "a"));
    unservable("leads to a directory", new MadeLayer().directory("d", 0755).hardLink("a", "d"));
    unservable("leads upwards", new MadeLayer().file("a/../b", ""));
    unservable("names nothing", new MadeLayer().file("a/.wh.", ""));
    unservable("names nothing", new MadeLayer().file("a/.wh...", ""));
    unservable("isn't a directory", new MadeLayer().file("a", "").file("a/b", ""));
    unservable(
        "isn't a directory", new MadeLayer().symbolicLink("lib", "usr/lib").file("lib/x", ""));
    unservable("more than 255", new MadeLayer().file("x".repeat(256), ""));
    unservable("not a directory", new MadeLayer().file("./", "").file(".", ""));
  }

  @Test
  void devicesKeepTheirNumbers() throws Exception {
    Path file = directory.resolve("devices");
    NodeTableWriter.write(
        new MadeLayer()
            .device("block", TarConstants.LF_BLK, 259, 70000)
            .device("null", TarConstants.LF_CHR, 1, 3)
            .ztoc(),
        file);
    NodeTable table = NodeTable.open(file);
    var attributes = new dev.socifleet.fuse.Attributes();

    table.fill(table.child(0, 0), attributes);
    assertThat(attributes.device).isEqualTo((70000 & 0xff) | (259 << 8) | ((70000 & ~0xff) << 12));
    table.fill(table.child(0, 1), attributes);
    assertThat(attributes.device).isEqualTo((1 << 8) | 3);
  }

  @Test
  void aDamagedTableIsNotOpened() throws Exception {
    Path file = directory.resolve("damaged");
    NodeTableWriter.write(new MadeLayer().file("a", "1").ztoc(), file);
    byte[] whole = java.nio.file.Files.readAllBytes(file);
    for (int at = 0; at < whole.length; at++) {
      byte[] damaged = whole.clone();
      damaged[at] ^= 0x10;
      java.nio.file.Files.write(file, damaged);
      if (at >= NodeTableFormat.AT_HEADER_CRC + 4 && at < NodeTableFormat.HEADER) {
        continue; // of no meaning
      }
      int changed = at;
      assertThatThrownBy(() -> NodeTable.open(file)).as("byte %s", changed).isNotNull();
    }
  }
}
