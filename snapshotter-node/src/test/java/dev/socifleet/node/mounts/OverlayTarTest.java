package dev.socifleet.node.mounts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.Test;

class OverlayTarTest {
  private static final String OPAQUE = "SCHILY.xattr.trusted.overlay.opaque";

  @Test
  void whatHasNoWhiteoutsPassesByteByByte() throws Exception {
    byte[] tar =
        tar(
            directory("etc/"),
            file("etc/passwd", "root"),
            file("etc/" + "long".repeat(60), "x".repeat(2000)),
            new Member(link("etc/link", "passwd"), ""));

    assertThat(rewritten(tar)).startsWith(withoutEnd(tar));
    assertThat(rewritten(tar)).hasSize(withoutEnd(tar).length + 1024);
  }

  @Test
  void aWhiteoutBecomesACharacterDevice() throws Exception {
    List<TarArchiveEntry> members =
        members(rewritten(tar(directory("a/"), file("a/.wh.gone", ""), file("a/b", "b"))));

    assertThat(members).extracting(TarArchiveEntry::getName).containsExactly("a/", "a/b", "a/gone");
    TarArchiveEntry whiteout = members.getLast();
    assertThat(whiteout.isCharacterDevice()).isTrue();
    assertThat(whiteout.getDevMajor()).isZero();
    assertThat(whiteout.getDevMinor()).isZero();
  }

  @Test
  void aNameOfTheLayerItselfIsNotHiddenWhateverTheOrder() throws Exception {
    byte[] tar =
        tar(
            file(".wh.first", ""),
            file("first", "1"),
            file("second", "2"),
            file(".wh.second", ""),
            file("implied/child", "3"),
            file(".wh.implied", ""));

    assertThat(members(rewritten(tar)))
        .extracting(TarArchiveEntry::getName)
        .containsExactly("first", "second", "implied/child");
  }

  @Test
  void anOpaqueDirectoryKeepsItsAttributes() throws Exception {
    TarArchiveEntry entry = new TarArchiveEntry("d/");
    entry.setMode(0750);
    entry.setIds(70_000_000, 8);
    entry.setLastModifiedTime(
        java.nio.file.attribute.FileTime.from(java.time.Instant.parse("2020-01-02T03:04:05.25Z")));
    entry.addPaxHeader("SCHILY.xattr.user.kept", "yes");
    List<TarArchiveEntry> members =
        members(rewritten(tar(new Member(entry, ""), file("d/.wh..wh..opq", ""), file("d/f", ""))));

    TarArchiveEntry opaque = members.getLast();
    assertThat(opaque.getName()).isEqualTo("d/");
    assertThat(opaque.isDirectory()).isTrue();
    assertThat(opaque.getMode() & 07777).isEqualTo(0750);
    assertThat(opaque.getLongUserId()).isEqualTo(70_000_000);
    assertThat(opaque.getLastModifiedTime().toInstant()).hasToString("2020-01-02T03:04:05.250Z");
    assertThat(opaque.getExtraPaxHeaders())
        .containsEntry(OPAQUE, "y")
        .containsEntry("SCHILY.xattr.user.kept", "yes");
  }

  @Test
  void theRootAndDirectoriesWithoutEntryCanBeOpaque() throws Exception {
    List<TarArchiveEntry> members =
        members(rewritten(tar(file(".wh..wh..opq", ""), file("./x/.wh..wh..opq", ""))));

    assertThat(members).extracting(TarArchiveEntry::getName).containsExactly("./", "x/");
    assertThat(members)
        .allSatisfy(m -> assertThat(m.getExtraPaxHeaders()).containsEntry(OPAQUE, "y"));
  }

  @Test
  void namesOfAufsAndWhatLiesBelowWhiteoutsAreLeftOut() throws Exception {
    byte[] tar =
        tar(
            directory(".wh..wh.plnk/"),
            file(".wh..wh.plnk/1.2", "data"),
            file(".wh..wh.aufs", ""),
            file(".wh.", "data"),
            file("kept", "k"));

    assertThat(members(rewritten(tar)))
        .extracting(TarArchiveEntry::getName)
        .containsExactly("kept");
  }

  @Test
  void attributesOfOverlayfsThatTheLayerBringsAreLeftOut() throws Exception {
    TarArchiveEntry entry = new TarArchiveEntry("f");
    entry.setSize(3);
    entry.addPaxHeader("SCHILY.xattr.trusted.overlay.redirect", "/etc");
    entry.addPaxHeader("SCHILY.xattr.user.overlay.opaque", "y");
    entry.addPaxHeader("SCHILY.xattr.user.fine", "v");
    byte[] out = rewritten(tar(new Member(entry, "abc")));

    assertThat(members(out).getFirst().getExtraPaxHeaders())
        .isEqualTo(Map.of("SCHILY.xattr.user.fine", "v"));
    assertThat(new String(out, StandardCharsets.ISO_8859_1)).contains("abc");
  }

  @Test
  void longNamesSurviveTheRewriting() throws Exception {
    String directory = "d".repeat(150) + "/";
    byte[] tar =
        tar(
            directory(directory),
            file(directory + ".wh..wh..opq", ""),
            file(directory + ".wh." + "gone".repeat(30), ""));

    assertThat(members(rewritten(tar)))
        .extracting(TarArchiveEntry::getName)
        .containsExactly(directory, directory, directory + "gone".repeat(30));
  }

  @Test
  void aNameThatLeadsUpwardsIsRefused() {
    for (String name : List.of("../x", "a/../../x", "a/../.wh.x", ".wh...")) {
      assertThatThrownBy(() -> rewritten(tar(file(name, ""))))
          .as(name)
          .isInstanceOf(UnmountableException.class);
    }
  }

  @Test
  void aCutArchiveIsRefused() throws Exception {
    byte[] tar = tar(file("a", "x".repeat(1000)));

    for (int length : new int[] {100, 512 + 999, 700}) {
      assertThatThrownBy(() -> rewritten(java.util.Arrays.copyOf(tar, length)))
          .as("%d bytes", length)
          .isInstanceOf(UnmountableException.class);
    }
    assertThat(members(rewritten(java.util.Arrays.copyOf(tar, 512 + 1000)))).hasSize(1);
  }

  @Test
  void bytesOfAnyKindNeverDoMoreThanFail() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    byte[] tar = tar(directory("a/"), file("a/.wh.x", ""), file("a/" + "n".repeat(200), "data"));
    for (int i = 0; i < 2000; i++) {
      byte[] broken = tar.clone();
      for (int flips = random.nextInt(4); flips >= 0; flips--) {
        broken[random.nextInt(3000)] = (byte) random.nextInt();
      }
      try {
        assertThat(rewritten(broken).length).as("seed %d", seed).isLessThan(tar.length + 20_000);
      } catch (UnmountableException e) {
        assertThat(e).as("seed %d", seed).hasMessageContaining("tar");
      }
    }
  }

  private record Member(TarArchiveEntry entry, String content) {}

  private static Member file(String name, String content) {
    TarArchiveEntry entry = new TarArchiveEntry(name);
    entry.setModTime(1_600_000_000_000L); // a fraction of a second would need an extended header
    entry.setSize(content.length());
    return new Member(entry, content);
  }

  private static Member directory(String name) {
    return new Member(new TarArchiveEntry(name), "");
  }

  private static TarArchiveEntry link(String name, String target) {
    TarArchiveEntry entry = new TarArchiveEntry(name, TarConstants.LF_SYMLINK);
    entry.setLinkName(target);
    return entry;
  }

  private static byte[] tar(Member... members) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes, 512, "UTF-8")) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
      tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
      for (Member member : members) {
        tar.putArchiveEntry(member.entry());
        tar.write(member.content().getBytes(StandardCharsets.UTF_8));
        tar.closeArchiveEntry();
      }
    }
    return bytes.toByteArray();
  }

  private static byte[] withoutEnd(byte[] tar) {
    int end = tar.length;
    while (end >= 512 && allZero(tar, end - 512, end)) {
      end -= 512;
    }
    return java.util.Arrays.copyOf(tar, end);
  }

  private static boolean allZero(byte[] bytes, int from, int to) {
    for (int i = from; i < to; i++) {
      if (bytes[i] != 0) {
        return false;
      }
    }
    return true;
  }

  /** In pieces that fit no block. */
  private static byte[] rewritten(byte[] tar) throws IOException, UnmountableException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    OverlayTar rewriting = new OverlayTar(out);
    for (int at = 0; at < tar.length; at += 333) {
      rewriting.accept(tar, at, Math.min(tar.length, at + 333));
    }
    rewriting.finish();
    return out.toByteArray();
  }

  private static List<TarArchiveEntry> members(byte[] tar) throws IOException {
    List<TarArchiveEntry> members = new ArrayList<>();
    try (TarArchiveInputStream in = new TarArchiveInputStream(new ByteArrayInputStream(tar))) {
      for (TarArchiveEntry e = in.getNextEntry(); e != null; e = in.getNextEntry()) {
        members.add(e);
      }
    }
    return members;
  }
}
