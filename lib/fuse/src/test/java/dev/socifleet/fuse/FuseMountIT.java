package dev.socifleet.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What programs see of a mount. */
@Timeout(value = 600, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class FuseMountIT {
  private static final String SHOW_ALL = "find . -printf '%P %y %m %n %U %G %s %l %T@\\n' | sort";

  @RegisterExtension private final MountedDirectory place = new MountedDirectory();
  private final MemoryFileSystem files = new MemoryFileSystem();

  @Test
  void aTreeIsTheSameAsOnDisk() throws Exception {
    place.directory("tree");
    place
        .run(
            """
            set -e; cd tree
            mkdir -p a/b/c empty 'with space' ä; chmod 1777 empty; chmod 2750 a
            printf hello > a/hello; : > a/nothing; ln a/hello a/b/hardlink
            head -c 100000 /dev/urandom > a/b/c/random; head -c 4096 /dev/urandom > page
            head -c 1048577 /dev/zero > 'with space/zeros'
            ln -s hello a/link; ln -s /nowhere/at/all dangling; ln -s ../a/b ä/up
            chmod 4711 a/hello; chown 12345:54321 page ; chown -h 1:2 a/link; chown 7 a/b
            touch -h -d @981173106.123456789 a/link page a/b; touch -d @-86400 dangling -h
            touch -d @-1.5 a/nothing; touch -d @4294967296.000000001 'with space/zeros'
            setfattr -n user.one -v 1 page; setfattr -n user.two -v '' page
            setfattr -n security.x -v secret a/b
            setfattr -n trusted.y -v yes a/b/c
            """)
        .lines();
    DiskTree.copy(place.base().resolve("tree"), files);
    place.mount("m", files);
    String onDisk = place.run("cd tree && " + SHOW_ALL).lines();
    assertThat(onDisk).contains("dangling l 777 1 0 0 15 /nowhere/at/all -86400.0000000000");
    assertThat(place.run("cd m && " + SHOW_ALL).lines()).isEqualTo(onDisk);
    assertThat(place.run("diff -r --no-dereference tree m").lines()).isEmpty();
    assertThat(place.run("cmp 'tree/with space/zeros' 'm/with space/zeros'").lines()).isEmpty();
    String xattrs = "getfattr -R -h -d -m - . | sort";
    assertThat(place.run("cd m && " + xattrs).lines())
        .isEqualTo(place.run("cd tree && " + xattrs).lines())
        .contains("security.x=\"secret\"", "trusted.y=\"yes\"", "user.two");
    assertThat(place.run("tar -C m -cf - . | tar -C tree -df -").lines()).isEmpty();
    // Once more from what the kernel keeps.
    assertThat(place.run("cd m && " + SHOW_ALL).lines()).isEqualTo(onDisk);
  }

  @Test
  void largeFilesAreReadInAnyOrder() throws Exception {
    long size = (5L << 30) + 12345;
    files.file(files.root, "large", 0644, new MemoryFileSystem.Scattered(size));
    files.file(files.root, "part", 0644, new MemoryFileSystem.Scattered((48 << 20) + 7));
    FuseMount mount = place.mount("m", files);
    try (OutputStream part = Files.newOutputStream(place.base().resolve("part"))) {
      part.write(MemoryFileSystem.scattered(0, (48 << 20) + 7));
    }
    assertThat(place.run("cmp part m/part").lines()).isEmpty();
    assertThat(mount.statistics().requests().get(RequestKind.READ))
        .as("pieces are as large as the read-ahead")
        .isLessThan(100);

    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    StringBuilder script = new StringBuilder("set -e\n");
    try (FileChannel expected =
        FileChannel.open(
            place.base().resolve("expected"),
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE)) {
      for (int i = 0; i < 150; i++) {
        int length = 1 + random.nextInt(200_000);
        long offset = i == 0 ? size - 100 : random.nextLong(size);
        script
            .append("dd if=m/large bs=70K iflag=skip_bytes,count_bytes,fullblock status=none skip=")
            .append(offset)
            .append(" count=")
            .append(length)
            .append('\n');
        expected.write(
            ByteBuffer.wrap(
                MemoryFileSystem.scattered(offset, (int) Math.min(length, size - offset))));
      }
    }
    Files.writeString(place.base().resolve("script"), script);
    assertThat(place.run("sh script > got && cmp expected got").lines()).isEmpty();
  }

  @Test
  void directReadsComeStraightFromTheServer() throws Exception {
    files.file(files.root, "f", 0644, new MemoryFileSystem.Scattered(3 << 20));
    place.mount("m", files);
    Files.write(place.base().resolve("f"), MemoryFileSystem.scattered(0, 3 << 20));
    assertThat(place.run("dd if=m/f bs=1M iflag=direct status=none | cmp - f").lines()).isEmpty();
    assertThat(place.run("dd if=m/f bs=4K iflag=direct status=none | cmp - f").lines()).isEmpty();
  }

  @Test
  void largeDirectoriesAreListedWithTheirAttributes() throws Exception {
    int count = 10_000;
    MemoryFileSystem.Node large = files.directory(files.root, "large");
    StringBuilder names = new StringBuilder();
    for (int i = 0; i < count; i++) {
      String name = "%05d-%s".formatted(i, "x".repeat(i % 200));
      files.file(large, name, "content " + i);
      names.append(name).append('\n');
    }
    Files.writeString(place.base().resolve("names"), names);
    FuseMount mount = place.mount("m", files);
    assertThat(place.run("ls m/large | LC_ALL=C sort | cmp - names").lines()).isEmpty();
    assertThat(place.run("find m/large -type f -size +0 | wc -l").lines()).isEqualTo("" + count);
    assertThat(mount.statistics().requests().get(RequestKind.LOOKUP))
        .as("attributes came with the names")
        .isLessThan(10);
  }

  @Test
  void aDirectoryIsReadOnFromAnyPlaceInIt() throws Exception {
    MemoryFileSystem.Node large = files.directory(files.root, "large");
    for (int i = 0; i < 3000; i++) {
      files.file(large, "entry-" + i, "");
    }
    place.mount("m", files);
    String seek =
        """
        opendir(D, "m/large") or die;
        readdir(D) for 1..2000;
        my $place = telldir(D);
        my @first = readdir(D);
        seekdir(D, $place);
        my @second = readdir(D);
        die "differs" if "@first" ne "@second" || @first != 1002;
        rewinddir(D);
        my @all = readdir(D);
        print scalar(@all);
        """;
    Files.writeString(place.base().resolve("seek.pl"), seek);
    assertThat(place.run("perl seek.pl").lines()).isEqualTo("3002");
  }

  @Test
  void whatIsNotThereIsAskedOnce() throws Exception {
    FuseMount mount = place.mount("m", files);
    MountedDirectory.Result missing =
        place.run("for i in 1 2 3 4 5; do stat m/missing; done; cat m/missing");
    assertThat(missing.err()).contains("No such file or directory");
    assertThat(mount.statistics().requests().get(RequestKind.LOOKUP)).isEqualTo(1);
  }

  @Test
  void whatIsKnownIsNotAskedAgain() throws Exception {
    files.file(files.root, "f", "content");
    files.symlink(files.root, "l", "f");
    FuseMount mount = place.mount("m", files);
    place.run("cat m/f; readlink m/l; ls m; stat m/f").lines();
    long before = all(mount);
    place.run("cat m/f; readlink m/l; ls m; stat m/f").lines();
    assertThat(all(mount)).isEqualTo(before);
  }

  private static long all(FuseMount mount) {
    return mount.statistics().requests().values().stream().mapToLong(Long::longValue).sum();
  }

  @Test
  void aDirectoryThatChangesShowsItWithItsTime() throws Exception {
    files.timeout = 0;
    files.file(files.root, "one", "1");
    place.mount("m", files);
    assertThat(place.run("ls m").lines()).isEqualTo("one");
    files.file(files.root, "two", "2");
    files.root.seconds = 1_800_000_000L;
    assertThat(place.run("ls m; cat m/two").lines()).isEqualTo("one\ntwo\n2");
  }

  @Test
  void extendedAttributesOfAllSizes() throws Exception {
    MemoryFileSystem.Node file = files.file(files.root, "f", "");
    Random random = new Random(1);
    for (int size : new int[] {1, 100, 4096, 65536}) {
      byte[] value = new byte[size];
      random.nextBytes(value);
      file.xattrs.put("user.size" + size, value);
      Files.write(place.base().resolve("value" + size), value);
    }
    place.mount("m", files);
    for (int size : new int[] {1, 100, 4096, 65536}) {
      assertThat(
              place
                  .run("getfattr --only-values -n user.size" + size + " m/f | cmp - value" + size)
                  .lines())
          .isEmpty();
    }
    assertThat(place.run("getfattr m/f | grep -c user").lines()).isEqualTo("4");
    assertThat(place.run("getfattr -n user.other m/f").err()).contains("No such attribute");
  }

  @Test
  void aStaleNodeIsToldSo() throws Exception {
    MemoryFileSystem stale =
        new MemoryFileSystem() {
          @Override
          public void lookup(long directory, Name name, Reply reply) {
            if (directory == ROOT) {
              super.lookup(directory, name, reply);
            } else {
              reply.sendError(Errno.STALE);
            }
          }
        };
    stale.directory(stale.root, "gone");
    place.mount("m", stale);
    assertThat(place.run("stat m/gone/file").err()).contains("Stale file handle");
  }

  @Test
  void statisticsAreThoseOfTheFileSystem() throws Exception {
    files.file(files.root, "f", "");
    place.mount("m", files);
    assertThat(place.run("stat -f -c '%b %s %c %l %a' m").lines()).isEqualTo("12345 4096 2 255 0");
  }

  @Test
  void setUserIdProgramsWork() throws Exception {
    byte[] id = Files.readAllBytes(Path.of("/usr/bin/id"));
    files.file(files.root, "id", 04755, new MemoryFileSystem.Bytes(id));
    files.file(files.root, "plain", 0755, new MemoryFileSystem.Bytes(id));
    MemoryFileSystem.Node secret = files.file(files.root, "secret", "");
    secret.uid = 0;
    place.mount("m", files);
    String asNobody = "setpriv --reuid 65534 --regid 65534 --clear-groups ";
    assertThat(place.run(asNobody + "m/id -u").lines()).isEqualTo("0");
    assertThat(place.run(asNobody + "m/plain -u").lines()).isEqualTo("65534");
  }

  @Test
  void permissionsAreChecked() throws Exception {
    files.file(files.root, "secret", 0600, new MemoryFileSystem.Scattered(10));
    place.mount("m", files);
    String asNobody = "setpriv --reuid 65534 --regid 65534 --clear-groups ";
    assertThat(place.run(asNobody + "cat m/secret").err()).contains("Permission denied");
    assertThat(place.run("cat m/secret | wc -c").lines()).isEqualTo("10");
  }

  @Test
  void devicesWork() throws Exception {
    files.device(files.root, "null", 1, 3);
    files.device(files.root, "zero", 1, 5);
    files.device(files.root, "large", 0x123, 0x45678);
    place.mount("m", files);
    assertThat(place.run("echo x > m/null && cat m/null | wc -c").lines()).isEqualTo("0");
    assertThat(place.run("head -c 1000 m/zero | tr -d '\\0' | wc -c").lines()).isEqualTo("0");
    assertThat(place.run("stat -c %t:%T m/large").lines()).isEqualTo("123:45678");
  }

  @Test
  void nothingCanBeWritten() throws Exception {
    files.file(files.root, "f", "content");
    place.mount("m", files);
    for (String command :
        new String[] {
          "echo x >> m/f",
          "touch m/g",
          "rm m/f",
          "mkdir m/d",
          "chmod 600 m/f",
          "mv m/f m/g",
          "setfattr -n user.a -v b m/f"
        }) {
      assertThat(place.run(command).err()).as(command).contains("Read-only file system");
    }
  }

  @Test
  void theKernelTakesWhatWasAskedFor() throws Exception {
    FuseMount mount = place.mount("m", files);
    MountTable.Entry entry = MountTable.top(mount.directory()).orElseThrow();
    assertThat(entry.type()).isEqualTo("fuse.test");
    assertThat(entry.source()).isEqualTo("in-memory");
    assertThat(entry.flags()).contains("ro").doesNotContain("nosuid", "nodev", "noexec");
    String bdi = "cat /sys/class/bdi/" + entry.device() + "/read_ahead_kb";
    assertThat(place.run(bdi).lines()).isEqualTo("1024");
    Mounts.mount("fusectl", "none", place.directory("control"), 0, "");
    String connection = "control/" + entry.device().substring(2);
    assertThat(place.run("cat " + connection + "/max_background").lines()).isEqualTo("4096");
    assertThat(place.run("cat " + connection + "/congestion_threshold").lines()).isEqualTo("4096");
    assertThat(place.run("cat " + connection + "/waiting").lines()).isEqualTo("0");
  }

  @Test
  void aFileSystemThatThrowsStopsNobodyElse() throws Exception {
    MemoryFileSystem throwing =
        new MemoryFileSystem() {
          @Override
          public void read(long node, long offset, int size, Reply reply) {
            if (node(node).mode == (FILE | 0400)) {
              throw new IllegalStateException("thrown by the test");
            }
            super.read(node, offset, size, reply);
          }
        };
    throwing.file(throwing.root, "bad", 0400, new MemoryFileSystem.Scattered(10));
    throwing.file(throwing.root, "good", "good\n");
    FuseMount mount = place.mount("m", throwing);
    for (int i = 0; i < 10; i++) {
      assertThat(place.run("cat m/bad").err()).contains("Input/output error");
      assertThat(place.run("cat m/good").lines()).isEqualTo("good");
    }
    assertThat(mount.statistics().failures()).isGreaterThanOrEqualTo(10);
    assertThat(mount.isServing()).isTrue();
  }

  @Test
  void twoMountsOfOneProcessAreApart() throws Exception {
    files.file(files.root, "f", "first");
    MemoryFileSystem others = new MemoryFileSystem();
    others.file(others.root, "f", "second");
    FuseMount first = place.mount("one", files);
    FuseMount second = place.mount("two", others);
    assertThat(place.run("cat one/f two/f").lines()).isEqualTo("firstsecond");
    first.close();
    assertThat(place.run("cat one/f; cat two/f").lines()).isEqualTo("second");
    assertThat(first.isServing()).isFalse();
    assertThat(second.isServing()).isTrue();
  }

  @Test
  void namesOfAnyBytesAreServed() throws IOException, InterruptedException {
    String name = "line\nbreak\ttab\\ äöü " + "n".repeat(200);
    files.file(files.root, name, "content");
    place.mount("m", files);
    assertThat(place.run("cat m/*").lines()).isEqualTo("content");
    Files.write(place.base().resolve("expected"), name.getBytes(StandardCharsets.UTF_8));
    assertThat(place.run("cd m && printf %s * | cmp - ../expected").lines()).isEmpty();
  }
}
