package dev.socifleet.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MountTableTest {
  @TempDir Path directory;

  @Test
  void fieldsAreFoundAroundOptionalOnes() {
    List<MountTable.Entry> entries =
        MountTable.parse(
            """
            36 35 98:0 /mnt1 /mnt\\040two rw,noatime master:1 shared:3 - ext3 /dev/root rw,errors=continue
            40 35 0:53 / /m ro,relatime - fuse.soci soci\\011x ro,user_id=0
            41 35 0:54 / /n rw - fuse  rw
            """);
    assertThat(entries).hasSize(3);
    assertThat(entries.get(0).point()).isEqualTo("/mnt two");
    assertThat(entries.get(0).device()).isEqualTo("98:0");
    assertThat(entries.get(0).flags()).containsExactlyInAnyOrder("rw", "noatime");
    assertThat(entries.get(0).isFuse()).isFalse();
    assertThat(entries.get(1).type()).isEqualTo("fuse.soci");
    assertThat(entries.get(1).source()).isEqualTo("soci\tx");
    assertThat(entries.get(1).isFuse()).isTrue();
    assertThat(entries.get(2).source()).isEmpty();
  }

  @Test
  void linesThatAreNotMountsAreSkipped() {
    assertThat(MountTable.parse("")).isEmpty();
    assertThat(MountTable.parse("36 35 98:0 / /mnt rw - ext3\n1 2 3\n")).isEmpty();
  }

  @Test
  void aBrokenEscapeIsKept() {
    assertThat(MountTable.parse("36 35 98:0 / /mnt\\04 rw - ext3 a\\9zz rw").getFirst().point())
        .isEqualTo("/mnt\\04");
  }

  @Test
  void aMountPointIsFoundByAnyOfItsPaths() throws Exception {
    assertThat(Mounts.isMountPoint(Path.of("/proc"))).isTrue();
    assertThat(Mounts.isMountPoint(Path.of("/proc/../proc/."))).isTrue();
    assertThat(Mounts.isMountPoint(Path.of("/"))).isTrue();
    assertThat(Mounts.isMountPoint(directory)).isFalse();
    Path link = Files.createSymbolicLink(directory.resolve("link"), Path.of("/"));
    assertThat(Mounts.isMountPoint(link.resolve("proc"))).isTrue();
    Files.delete(link);
  }
}
