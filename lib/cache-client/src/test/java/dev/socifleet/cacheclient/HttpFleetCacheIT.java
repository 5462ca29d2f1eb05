package dev.socifleet.cacheclient;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.socifleet.cacheclient.FleetCache.SpanRange;
import dev.socifleet.oci.ByteRange;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The client against members that do what they shouldn't. A member that failed is left alone by a
 * clock that only a test moves.
 */
@Timeout(300)
class HttpFleetCacheIT {
  private static final RepositoryName REPOSITORY =
      RepositoryName.parse("registry.example/team/app");
  private static final Digest BLOB = Digest.of("a layer".getBytes(StandardCharsets.US_ASCII));
  private static final byte[] FIRST = new byte[1000];
  private static final byte[] SECOND = new byte[2000];
  private static final List<SpanRange> SPANS =
      List.of(
          new SpanRange(Digest.of(FIRST), new ByteRange(0, 1000)),
          new SpanRange(Digest.of(SECOND), new ByteRange(1000, 3000)));

  private static final Duration LONG = Duration.ofMinutes(1);
  private static final Duration SHORT = Duration.ofMillis(500);

  private final AtomicLong nanos = new AtomicLong();
  private ScriptedMember member;
  private HttpFleetCache client;

  @BeforeEach
  void start() throws Exception {
    member = new ScriptedMember((head, out) -> {});
    client = client(LONG, LONG, member.uri());
  }

  @AfterEach
  void stop() throws Exception {
    client.close();
    member.close();
  }

  /**
   * @param timeout for an answer, and for each span of one
   * @param silence for the next byte
   */
  private HttpFleetCache client(Duration timeout, Duration silence, URI... members)
      throws IOException {
    return HttpFleetCache.open(
        new FleetCacheConfig(List.of(members), Optional.empty(), Optional.empty(), timeout),
        silence,
        nanos::get);
  }

  private void pass(long millis) {
    nanos.addAndGet(Duration.ofMillis(millis).toNanos());
  }

  private static byte[] frames(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  private static byte[] span(byte[] bytes) {
    return frames(SpanFrames.spanHead(bytes.length), bytes);
  }

  private static final byte[] RIGHT = frames(span(FIRST), span(SECOND), SpanFrames.end());

  private List<byte[]> get(HttpFleetCache from) throws IOException {
    List<byte[]> got = new ArrayList<>();
    from.spans(REPOSITORY, BLOB, SPANS, Optional.of("Bearer x"), (span, bytes) -> got.add(bytes));
    return got;
  }

  private void assertUnavailable(ScriptedMember.Script script, String why) throws Exception {
    assertUnavailable(LONG, script, why);
  }

  private void assertUnavailable(Duration silence, ScriptedMember.Script script, String why)
      throws Exception {
    // Each time a member that never failed.
    try (ScriptedMember bad = new ScriptedMember(script);
        HttpFleetCache other = client(LONG, silence, bad.uri())) {
      assertThatThrownBy(() -> get(other))
          .isInstanceOf(CacheUnavailableException.class)
          .hasMessageContaining(why);
    }
  }

  @Test
  void spansComeInOrderAndTheQuestionSaysWhoAsks() throws Exception {
    member.script(ScriptedMember.answer(200, RIGHT));
    assertThat(get(client)).containsExactly(FIRST, SECOND);
    assertThat(member.requests().getFirst())
        .contains("x-registry-authorization: bearer x")
        .noneMatch(line -> line.startsWith("authorization:"))
        .anyMatch(line ->
            line.startsWith("post /v1/spans?repository=registry.example%2fteam%2fapp&blob="));
  }

  @Test
  void aDenialIsNotAFailureOfTheMember() throws Exception {
    byte[] message = "{\"message\":\"the registry says no\"}".getBytes(StandardCharsets.US_ASCII);
    member.script(ScriptedMember.answer(403, message));
    for (int i = 0; i < 3; i++) {
      assertThatThrownBy(() -> get(client))
          .isInstanceOf(CacheDeniedException.class)
          .hasMessageContaining("the registry says no");
    }
    member.script(
        ScriptedMember.answer(
            200, frames(span(FIRST), SpanFrames.error(403, "span-mismatch", "not this span"))));
    assertThatThrownBy(() -> get(client))
        .isInstanceOf(CacheDeniedException.class)
        .hasMessageContaining("not this span");
    member.script(ScriptedMember.answer(200, RIGHT));
    assertThat(get(client)).hasSize(2);
  }

  @Test
  void framesThatAreWrongAreUnavailable() throws Exception {
    byte[] other = Arrays.copyOf(FIRST, FIRST.length);
    other[7] = 1;
    byte[] huge = ByteBuffer.allocate(5).put((byte) 1).putInt(Integer.MAX_VALUE).array();
    byte[] hugeError = ByteBuffer.allocate(5).put((byte) 2).putInt(Integer.MAX_VALUE).array();
    byte[] unknown = ByteBuffer.allocate(5).put((byte) 99).putInt(0).array();
    assertUnavailable(ScriptedMember.answer(200, new byte[0]), "cut off");
    assertUnavailable(ScriptedMember.answer(200, frames(span(FIRST))), "cut off");
    assertUnavailable(ScriptedMember.answer(200, Arrays.copyOf(RIGHT, 500)), "in the middle");
    assertUnavailable(ScriptedMember.answer(200, Arrays.copyOf(RIGHT, 3)), "cut off");
    assertUnavailable(ScriptedMember.answer(200, span(other)), "other bytes than those of span");
    assertUnavailable(ScriptedMember.answer(200, span(SECOND)), "a span of 2000 bytes where");
    assertUnavailable(ScriptedMember.answer(200, huge), "a span of 2147483647 bytes where");
    assertUnavailable(ScriptedMember.answer(200, hugeError), "an error of 2147483647 bytes");
    assertUnavailable(ScriptedMember.answer(200, unknown), "unknown kind 99");
    assertUnavailable(ScriptedMember.answer(200, SpanFrames.end()), "before all spans were there");
    assertUnavailable(
        ScriptedMember.answer(200, frames(span(FIRST), span(SECOND), span(FIRST))), "no end");
    assertUnavailable(ScriptedMember.answer(200, "<html>".getBytes(StandardCharsets.US_ASCII)), "");
  }

  @Test
  void answersThatAreNoneAreUnavailable() throws Exception {
    assertUnavailable(
        (head, out) -> out.write("nonsense\r\n\r\n".getBytes(StandardCharsets.US_ASCII)), "");
    assertUnavailable(
        (head, out) -> {
          throw new IOException("hangs up");
        },
        "");
    assertUnavailable(ScriptedMember.answer(302, new byte[0], "Location: http://x/"), "302");
    assertUnavailable(ScriptedMember.answer(500, new byte[0]), "500");
    assertUnavailable(ScriptedMember.answer(502, new byte[0]), "502");
    assertUnavailable(
        ScriptedMember.answer(504, "not JSON".getBytes(StandardCharsets.US_ASCII)), "504");
    assertUnavailable(ScriptedMember.answer(503, new byte[1 << 20]), "");
    assertUnavailable(
        Duration.ofSeconds(2),
        (head, out) -> out.write(ScriptedMember.head(200, Long.MAX_VALUE)),
        "no byte for");
  }

  @Test
  void aMemberThatSaysNothingIsGivenUpAndThenLeftAlone() throws Exception {
    member.script((head, out) -> member.hang());
    try (HttpFleetCache impatient = client(LONG, SHORT, member.uri())) {
      assertThatThrownBy(() -> get(impatient)).hasMessageContaining("no answer within");
      member.script(ScriptedMember.answer(200, RIGHT));
      assertThatThrownBy(() -> get(impatient)).hasMessageContaining("failed a moment ago");
    }
    assertThat(member.requests()).hasSizeLessThanOrEqualTo(1);
  }

  @Test
  void aMemberThatStopsInTheMiddleIsGivenUp() throws Exception {
    member.script((head, out) -> {
      out.write(ScriptedMember.head(200, RIGHT.length));
      out.write(RIGHT, 0, 1500);
      out.flush();
      member.hang();
    });
    try (HttpFleetCache impatient = client(LONG, Duration.ofSeconds(2), member.uri())) {
      assertThatThrownBy(() -> get(impatient)).hasMessageContaining("no byte for");
    }
  }

  @Test
  void aMemberThatSaysThatItIsAtItIsWaitedForButNotForGood() throws Exception {
    Duration silence = Duration.ofSeconds(2);
    try (HttpFleetCache patient = client(Duration.ofSeconds(5), silence, member.uri())) {
      byte[] end = Arrays.copyOfRange(RIGHT, span(FIRST).length, RIGHT.length);
      member.script((head, out) -> {
        out.write("HTTP/1.1 200 X\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        beat(out, silence.plusMillis(200));
        out.write(span(FIRST));
        beat(out, Duration.ofMillis(100));
        out.write(end);
        throw new EOFException("the body ends with its connection");
      });
      assertThat(get(patient)).containsExactly(FIRST, SECOND);
      member.script((head, out) -> {
        out.write(ScriptedMember.head(200, Long.MAX_VALUE));
        beat(out, LONG);
      });
      assertThatThrownBy(() -> get(patient)).hasMessageContaining("no span within 5000 ms");
    }
  }

  /** Far more often than the client needs it: a busy machine holds a beat back. */
  private static void beat(OutputStream out, Duration time) throws IOException {
    for (long end = System.nanoTime() + time.toNanos(); System.nanoTime() - end < 0; ) {
      out.write(SpanFrames.stillAtIt());
      out.flush();
      LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
    }
  }

  @Test
  void aMemberIsTriedAgainByOneCallerAndThenByAll() throws Exception {
    member.script(ScriptedMember.answer(500, new byte[0]));
    assertThatThrownBy(() -> get(client)).isInstanceOf(CacheUnavailableException.class);
    List<Throwable> meanwhile = new CopyOnWriteArrayList<>();
    member.script((head, out) -> {
      meanwhile.add(catchThrowable(() -> get(client)));
      ScriptedMember.answer(200, RIGHT).answer(head, out);
    });
    pass(BackOff.FIRST_MILLIS * 6 / 5 + 1);
    assertThat(get(client)).hasSize(2);
    assertThat(meanwhile)
        .singleElement()
        .satisfies(why -> assertThat(why).hasMessageContaining("failed a moment ago"));
    member.script(ScriptedMember.answer(200, RIGHT));
    assertThat(get(client)).hasSize(2);
  }

  @Test
  void aBusyMemberIsLeftAloneForAsLongAsItSays() throws Exception {
    member.script(ScriptedMember.answer(503, new byte[0], "Retry-After: 1"));
    assertThatThrownBy(() -> get(client)).hasMessageContaining("503");
    assertThatThrownBy(() -> get(client)).hasMessageContaining("failed a moment ago");
    assertThat(member.requests()).hasSize(1);
    member.script(ScriptedMember.answer(200, RIGHT));
    pass(999);
    assertThatThrownBy(() -> get(client)).hasMessageContaining("failed a moment ago");
    pass(2);
    assertThat(get(client)).hasSize(2);
  }

  @Test
  void whatTheFirstChoiceDidNotGiveTheSecondIsAskedForIfItHasIt() throws Exception {
    try (ScriptedMember other = new ScriptedMember(ScriptedMember.answer(504, new byte[0]));
        HttpFleetCache both = client(LONG, LONG, member.uri(), other.uri())) {
      URI firstUri =
          new Placement(List.of(member.uri(), other.uri()))
              .order(Placement.ofSpan(BLOB, 0))
              .getFirst();
      ScriptedMember first = firstUri.equals(member.uri()) ? member : other;
      ScriptedMember second = first == member ? other : member;
      first.script(ScriptedMember.answer(200, frames(span(FIRST))));
      second.script(ScriptedMember.answer(200, frames(span(SECOND), SpanFrames.end())));
      assertThat(get(both)).containsExactly(FIRST, SECOND);
      assertThat(second.requests().getFirst()).contains("cache-control: only-if-cached");
      // From now on, the second one is everybody's first choice.
      second.script(ScriptedMember.answer(200, RIGHT));
      assertThat(get(both)).containsExactly(FIRST, SECOND);
      assertThat(second.requests().getLast()).doesNotContain("cache-control: only-if-cached");
      assertThat(first.requests()).hasSize(1);
    }
  }

  @Test
  void aZtocIsTakenOnlyWithItsDigestAndLength() throws Exception {
    byte[] ztoc = {1, 2, 3};
    String right = "Docker-Content-Digest: " + Digest.of(ztoc);
    member.script(ScriptedMember.answer(200, ztoc, right));
    assertThat(client.ztoc(REPOSITORY, BLOB, 1024, Optional.empty())).contains(ztoc);
    member.script(ScriptedMember.answer(404, new byte[0]));
    assertThat(client.ztoc(REPOSITORY, BLOB, 1024, Optional.empty())).isEmpty();
    List<ScriptedMember.Script> wrong =
        List.of(
            ScriptedMember.answer(200, ztoc),
            ScriptedMember.answer(200, new byte[] {9}, right),
            (head, out) -> out.write(ScriptedMember.head(200, 1L << 40, right)),
            (head, out) ->
                out.write(
                    ("HTTP/1.1 200 X\r\n" + right + "\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII)));
    for (ScriptedMember.Script script : wrong) {
      try (ScriptedMember bad = new ScriptedMember(script);
          HttpFleetCache other = client(LONG, LONG, bad.uri())) {
        assertThatThrownBy(() -> other.ztoc(REPOSITORY, BLOB, 1024, Optional.empty()))
            .isInstanceOf(CacheUnavailableException.class);
      }
    }
  }

  @Test
  void whatNeedsTheFleetTokenIsNotAskedWithoutIt() throws Exception {
    assertThatThrownBy(() -> client.putZtoc(BLOB, 1024, new byte[1]))
        .isInstanceOf(CacheUnavailableException.class)
        .hasMessageContaining("cache.token-file");
    assertThat(member.requests()).isEmpty();
  }

  @Test
  void aCredentialThatCannotBeSentIsNotShown() {
    assertThatThrownBy(() ->
            client.spans(
                REPOSITORY, BLOB, SPANS, Optional.of("Bearer secret\r\nX: y"), (span, bytes) -> {}))
        .isInstanceOf(CacheUnavailableException.class)
        .hasMessageNotContaining("secret");
  }

  @Test
  void anInterruptEndsTheWait() throws Exception {
    member.script((head, out) -> member.hang());
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> get(client)).hasMessageContaining("interrupted");
    assertThat(Thread.interrupted()).isTrue();
  }
}
