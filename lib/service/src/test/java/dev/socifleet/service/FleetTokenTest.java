package dev.socifleet.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class FleetTokenTest {
  @TempDir Path directory;

  @Test
  void theFirstStartMakesATokenThatOnlyItsOwnerReads() throws Exception {
    Path file = directory.resolve("state/token");

    FleetToken made = FleetToken.readOrCreate(file);

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    assertThat(FleetToken.read(file).authorization()).isEqualTo(made.authorization());
    assertThat(made.toString()).doesNotContain(Files.readString(file).strip());
    try (Stream<Path> left = Files.list(directory.resolve("state"))) {
      assertThat(left).containsExactly(file);
    }
  }

  @Test
  void processesThatStartTogetherGetTheSameToken() throws Exception {
    Path file = directory.resolve("token");
    Callable<String> start = () -> FleetToken.readOrCreate(file).authorization();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      assertThat(
              threads.invokeAll(Stream.generate(() -> start).limit(32).toList()).stream()
                  .map(Future::resultNow))
          .containsOnly(FleetToken.read(file).authorization());
    }
  }

  @Test
  void onlyTheTokenIsAdmitted() {
    FleetToken token = FleetToken.of("0123456789abcdef");

    assertThat(token.admits("Bearer 0123456789abcdef")).isTrue();
    assertThat(token.admits("bearer 0123456789abcdef ")).isTrue();
    assertThat(token.admits(null)).isFalse();
    assertThat(token.admits("")).isFalse();
    assertThat(token.admits("Bearer ")).isFalse();
    assertThat(token.admits("Bearer 0123456789abcdeF")).isFalse();
    assertThat(token.admits("Basic 0123456789abcdef")).isFalse();
    assertThat(token.admits("Bearer 0123456789abcdef0")).isFalse();
  }

  @Test
  void whatIsNoSecretIsRefusedWithItsFile() throws Exception {
    Path file = Files.writeString(directory.resolve("token"), "short\n");

    assertThatIOException()
        .isThrownBy(() -> FleetToken.readOrCreate(file))
        .withMessageContaining(file.toString())
        .withMessageContaining("16 to 4096 characters");
  }
}
