package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.socifleet.oci.WireServer.Call;
import dev.socifleet.oci.WireServer.Ending;
import dev.socifleet.oci.WireServer.Reply;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Blobs read whole and by range, over connections and from registries that don't behave. */
class BlobReadIT extends RegistryFixture {
  private static final int SIZE = 3 << 20;

  /**
   * More than is read before anybody wants it. Of a body that breaks earlier the JDK's client may
   * tell before it gives the answer's head, which makes that a request that failed as a whole.
   */
  static final int FAR = 400_000;

  private final byte[] bytes = random(SIZE, 7);
  private Digest blob;

  @BeforeEach
  void addBlob() {
    blob = registry.addBlob("team/app", bytes);
  }

  private static boolean get(Call call) {
    return call.is("GET", "/blobs/");
  }

  private byte[] whole() throws IOException {
    try (InputStream in = repository.openBlob(blob)) {
      return in.readAllBytes();
    }
  }

  private byte[] range(int start, int end) throws IOException {
    try (InputStream in = repository.openBlob(blob, new ByteRange(start, end))) {
      return in.readAllBytes();
    }
  }

  private byte[] expected(int start, int end) {
    return Arrays.copyOfRange(bytes, start, end);
  }

  @Test
  void aWholeBlobIsOneRequest() throws Exception {
    assertThat(whole()).isEqualTo(bytes);

    assertThat(registry.server().calls()).hasSize(1);
  }

  @Test
  void anEmptyBlobIsRead() throws Exception {
    blob = registry.addBlob("team/app", new byte[0]);

    assertThat(whole()).isEmpty();
  }

  @Test
  void aRangeIsExactlyItsBytes() throws Exception {
    assertThat(range(1000, 5000)).isEqualTo(expected(1000, 5000));
    assertThat(range(SIZE - 1, SIZE)).isEqualTo(expected(SIZE - 1, SIZE));

    assertThat(registry.server().calls())
        .extracting(call -> call.header("Range").orElse(""))
        .containsExactly("bytes=1000-4999", "bytes=" + (SIZE - 1) + "-" + (SIZE - 1));
  }

  @Test
  void manyRangesShareAConnection() throws Exception {
    for (int i = 0; i < 20; i++) {
      range(i * 1000, i * 1000 + 50_000);
    }

    assertThat(registry.server().connections()).isEqualTo(1);
  }

  @Test
  void aRegistryThatAnswersRangesWithTheWholeBlobGivesTheSameBytes() throws Exception {
    registry.ranges = false;

    assertThat(range(1_000_000, 1_200_000)).isEqualTo(expected(1_000_000, 1_200_000));
  }

  @Test
  void aBodyWithoutAnnouncedLengthIsRead() throws Exception {
    registry.disturb(
        1, BlobReadIT::get, (call, real) -> real.get().with("Transfer-Encoding", "chunked"));

    assertThat(whole()).isEqualTo(bytes);
  }

  @Test
  void aConnectionResetInTheMiddleIsTakenUpWhereItBroke() throws Exception {
    registry.disturb(
        1, BlobReadIT::get, (call, real) -> real.get().ending(new Ending.Reset(1_000_000)));
    registry.disturb(
        1, BlobReadIT::get, (call, real) -> real.get().ending(new Ending.Cut(500_000)));

    assertThat(whole()).isEqualTo(bytes);

    List<Call> calls = registry.server().calls("GET", "/blobs/");
    assertThat(calls).hasSize(3);
    assertThat(calls.get(2).header("Range").orElse("")).endsWith("-" + (SIZE - 1));
    assertThat(calls.get(2).header("Range").orElse("")).doesNotStartWith("bytes=0-");
  }

  @Test
  void aBrokenWholeBlobIsTakenUpFromARegistryWithoutRanges() throws Exception {
    registry.ranges = false;
    registry.disturb(
        1, BlobReadIT::get, (call, real) -> real.get().ending(new Ending.Cut(1_000_000)));

    assertThat(whole()).isEqualTo(bytes);
  }

  @Test
  void aRangeThatBreaksIsTakenUpWithinItself() throws Exception {
    registry.disturb(2, BlobReadIT::get, (call, real) -> real.get().ending(new Ending.Cut(FAR)));

    assertThat(range(100_000, 1_000_000)).isEqualTo(expected(100_000, 1_000_000));

    // A reset may overtake bytes that were sent before it, so how far each part came isn't certain.
    List<String> ranges =
        registry.server().calls().stream().map(call -> call.header("Range").orElse("")).toList();
    assertThat(ranges)
        .hasSize(3)
        .startsWith("bytes=100000-999999")
        .isSorted()
        .allMatch(range -> range.matches("bytes=[159][0-9]{5}-999999"));
  }

  @Test
  void aBodyThatStallsIsTakenUpAfterTheStallTime() throws Exception {
    use(Timeouts.STANDARD.answer(), Duration.ofSeconds(2));
    registry.disturb(
        1, BlobReadIT::get, (call, real) -> real.get().ending(new Ending.Stall(1_000_000)));

    assertThat(whole()).isEqualTo(bytes);

    assertThat(registry.server().calls("GET", "/blobs/")).hasSize(2);
  }

  @Test
  void aConnectionThatAlwaysBreaksFailsForNow() {
    registry.disturb(100, BlobReadIT::get, (call, real) -> real.get().ending(new Ending.Cut(FAR)));

    RegistryException failure = catchThrowableOfType(RegistryException.class, this::whole);

    assertThat(failure.temporary()).isTrue();
    assertThat(failure).hasMessageContaining("the connection was lost");
    assertThat(registry.server().calls("GET", "/blobs/")).hasSizeLessThan(10);
  }

  @Test
  void otherBytesFailAtTheirEndAndForGood() {
    registry.disturb(1, BlobReadIT::get, (call, real) -> real.get().with(random(SIZE, 8)));

    RegistryException failure = catchThrowableOfType(RegistryException.class, this::whole);

    assertThat(failure.temporary()).isFalse();
    assertThat(failure).hasMessageContaining(blob.toString()).hasMessageContaining("digest");
  }

  @Test
  void otherBytesFailForWhoReadsNoFurtherThanTheyGo() throws Exception {
    registry.disturb(1, BlobReadIT::get, (call, real) -> real.get().with(random(SIZE, 8)));

    try (InputStream in = repository.openBlob(blob)) {
      assertThatThrownBy(() -> in.readNBytes(SIZE))
          .isInstanceOf(RegistryException.class)
          .hasMessageContaining("sent other bytes: they have another digest");
    }
  }

  @Test
  void nothingInPlaceOfABlobFails() {
    registry.disturb(1, BlobReadIT::get, (call, real) -> real.get().with(new byte[0]));

    assertThatThrownBy(this::whole)
        .isInstanceOf(RegistryException.class)
        .hasMessageContaining("sent other bytes");
  }

  @Test
  void anotherRangeThanAskedForIsRefused() {
    registry.disturb(
        1,
        BlobReadIT::get,
        (call, real) -> real.get().with("Content-Range", "bytes 0-3999/" + SIZE));

    RegistryException failure =
        catchThrowableOfType(RegistryException.class, () -> range(1000, 5000));

    assertThat(failure.temporary()).isFalse();
    assertThat(failure).hasMessageContaining("sent another range: 'bytes 0-3999/");
  }

  @Test
  void aContentRangeThatIsNoneIsRefused() {
    for (String header :
        List.of("", "bytes", "bytes 1000-4999", "items 1000-4999/9000", "\u00e4")) {
      registry.disturb(
          1, BlobReadIT::get, (call, real) -> real.get().with("Content-Range", header));

      assertThatThrownBy(() -> range(1000, 5000)).isInstanceOf(RegistryException.class);
    }
  }

  @Test
  void aRangeOfABlobOfUnknownSizeIsTaken() throws Exception {
    registry.disturb(
        1, BlobReadIT::get, (call, real) -> real.get().with("Content-Range", "bytes 1000-4999/*"));

    assertThat(range(1000, 5000)).isEqualTo(expected(1000, 5000));
  }

  @Test
  void aRangeBeyondTheEndIsRefused() {
    RegistryException failure =
        catchThrowableOfType(RegistryException.class, () -> range(SIZE, SIZE + 10));

    assertThat(failure.status()).isEqualTo(416);
    assertThat(failure.temporary()).isFalse();
    assertThatThrownBy(() -> range(SIZE - 5, SIZE + 10)).isInstanceOf(RegistryException.class);
  }

  @Test
  void aBodyCompressedOnTheWayIsRefused() {
    registry.disturb(
        2, BlobReadIT::get, (call, real) -> real.get().with("Content-Encoding", "gzip"));

    assertThatThrownBy(this::whole).hasMessageContaining("encoded as 'gzip'");
    assertThatThrownBy(() -> range(0, 10)).hasMessageContaining("encoded as 'gzip'");
    assertThat(registry.server().calls())
        .allMatch(call -> call.header("Accept-Encoding").orElse("").equals("identity"));
  }

  @Test
  void aBlobThatIsNotThereSaysSo() throws Exception {
    Digest other = Digest.of(utf8("other"));

    assertThat(repository.blobSize(other)).isEmpty();
    RegistryException failure =
        catchThrowableOfType(RegistryException.class, () -> repository.openBlob(other));
    assertThat(failure.status()).isEqualTo(404);
    assertThat(failure.codes()).containsExactly("BLOB_UNKNOWN");
    assertThat(failure.temporary()).isFalse();
    assertThat(failure).hasMessageContaining("read blob " + other).hasMessageContaining("team/app");
  }

  @Test
  void aBlobsSizeIsAsked() throws Exception {
    assertThat(repository.blobSize(blob)).hasValue(SIZE);
    assertThat(registry.server().calls("HEAD", "/blobs/")).hasSize(1);
  }

  @Test
  void closingEndsAReadThatWaits() throws Exception {
    registry.disturb(1, BlobReadIT::get, (call, real) -> real.get().ending(new Ending.Stall(10)));
    client.close();
    client =
        HttpRegistries.open(
            new RegistriesConfig(
                List.of(RegistryHost.of(registry.server().host())), Credentials.NONE, AGENT));
    InputStream body =
        client.repository(registry.repository("team/app")).openBlob(blob, new ByteRange(0, SIZE));
    assertThat(body.readNBytes(10)).hasSize(10);
    CompletableFuture<Boolean> ended = new CompletableFuture<>();
    Thread reader =
        Thread.ofVirtual()
            .start(() -> {
              try {
                ended.complete(body.read() < 0);
              } catch (IOException e) {
                ended.complete(true);
              }
            });

    reader.interrupt();

    assertThat(ended.get(60, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void aBodyLeftEarlyTakesItsConnectionAlong() throws Exception {
    for (int i = 0; i < 30; i++) {
      try (InputStream in = repository.openBlob(blob)) {
        assertThat(in.read()).isEqualTo(bytes[0] & 0xff);
      }
    }

    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (registry.server().connections() > 1 && System.nanoTime() < deadline) {
      Thread.sleep(20);
    }
    assertThat(registry.server().connections()).isLessThanOrEqualTo(1);
  }

  @Test
  void aRegistryThatDoesNotAnswerFailsInTime() throws Exception {
    use(Duration.ofMillis(200), Timeouts.STANDARD.stall());
    registry.disturb(100, call -> true, (call, real) -> Reply.of(200).ending(new Ending.Silence()));

    RegistryException failure =
        catchThrowableOfType(RegistryException.class, () -> repository.blobSize(blob));

    assertThat(failure.temporary()).isTrue();
    assertThat(failure).hasMessageContaining("no answer for 0.2 s");
  }
}
