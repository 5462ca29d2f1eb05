package dev.socifleet.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.Options;

/** What processes leave that use RocksDB and are killed. */
@Timeout(120)
class RocksLibraryTest {
  @TempDir Path directory;

  /** Uses RocksDB's native code, then ends as a killed process does. */
  static final class Killed {
    private Killed() {}

    public static void main(String[] args) {
      RocksLibrary.load(Path.of(args[0]));
      new Options().setCreateIfMissing(true).close();
      Runtime.getRuntime().halt(9);
    }
  }

  @Test
  void killedProcessesLeaveTheLibraryOnceBesideTheirData() throws Exception {
    Path state = Files.createDirectory(directory.resolve("state"));
    Path temporary = Files.createDirectory(directory.resolve("tmp"));

    assertThat(run(temporary, state)).isEmpty();
    assertThat(run(temporary, state)).isEmpty();

    assertThat(files(temporary)).isEmpty();
    assertThat(files(state)).hasSize(1);
  }

  @Test
  void whereItCannotBeUnpackedBesideTheDataTheTemporaryDirectoryServes() throws Exception {
    Path temporary = Files.createDirectory(directory.resolve("tmp"));

    assertThat(run(temporary, directory.resolve("nothing"))).contains("nothing");

    assertThat(files(temporary)).hasSize(1);
  }

  private static List<Path> files(Path directory) throws Exception {
    try (Stream<Path> files = Files.list(directory)) {
      return files.toList();
    }
  }

  /** What it prints. */
  private static String run(Path temporary, Path state) throws Exception {
    Process process =
        new ProcessBuilder(
                System.getProperty("java.home") + "/bin/java",
                "--enable-native-access=ALL-UNNAMED",
                "-Djava.io.tmpdir=" + temporary,
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                Killed.class.getName(),
                state.toString())
            .redirectErrorStream(true)
            .start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).as(out).isEqualTo(9);
    return out;
  }
}
