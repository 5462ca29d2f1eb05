package dev.socifleet.cacheclient;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.socifleet.cacheclient.FleetCache.SpanRange;
import dev.socifleet.oci.ByteRange;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.service.FleetToken;
import java.io.ByteArrayOutputStream;
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
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The client against members that do what they shouldn't. */
@Timeout(60)
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

  private ScriptedMember member;
  private HttpFleetCache client;

  @BeforeEach
  void start() throws Exception {
    member = new ScriptedMember((head, out) -> {});
    client = client(Optional.empty(), member.uri());
  }

  @AfterEach
  void stop() throws Exception {
    client.close();
    member.close();
  }

  private static HttpFleetCache client(Optional<FleetToken> token, URI... members)
      throws IOException {
    return HttpFleetCache.open(
        new FleetCacheConfig(List.of(members), token, Optional.empty(), Duration.ofMillis(1_500)));
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
    // Each time a member that never failed.
    try (ScriptedMember bad = new ScriptedMember(script);
        HttpFleetCache other = client(Optional.empty(), bad.uri())) {
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
        (head, out) -> out.write(ScriptedMember.head(200, Long.MAX_VALUE)), "no byte for");
  }

  @Test
  void aMemberThatSaysNothingIsGivenUpAndThenLeftAlone() throws Exception {
    member.script((head, out) -> member.hang());
    assertThatThrownBy(() -> get(client)).hasMessageContaining("no answer within");
    int asked = member.requests().size();
    assertThatThrownBy(() -> get(client)).hasMessageContaining("failed a moment ago");
    assertThat(member.requests()).hasSize(asked);
  }

  @Test
  void aMemberThatStopsInTheMiddleIsGivenUp() throws Exception {
    member.script((head, out) -> {
      out.write(ScriptedMember.head(200, RIGHT.length));
      out.write(RIGHT, 0, 1500);
      out.flush();
      member.hang();
    });
    assertThatThrownBy(() -> get(client)).hasMessageContaining("no byte for");
  }

  @Test
  void aMemberThatSaysThatItIsAtItIsWaitedForButNotForGood() throws Exception {
    var config =
        new FleetCacheConfig(
            List.of(member.uri()), Optional.empty(), Optional.empty(), Duration.ofSeconds(2));
    try (HttpFleetCache patient = HttpFleetCache.open(config, Duration.ofSeconds(1))) {
      member.script((head, out) -> {
        out.write(ScriptedMember.head(200, RIGHT.length + 4L * SpanFrames.HEAD));
        beat(out, 3);
        out.write(span(FIRST));
        beat(out, 1);
        out.write(RIGHT, RIGHT.length - 2000 - 2 * SpanFrames.HEAD, 2000 + 2 * SpanFrames.HEAD);
      });
      assertThat(get(patient)).containsExactly(FIRST, SECOND);
      member.script((head, out) -> {
        out.write(ScriptedMember.head(200, Long.MAX_VALUE));
        beat(out, 1_000);
      });
      assertThatThrownBy(() -> get(patient)).hasMessageContaining("no span within 2000 ms");
    }
  }

  /** Every half second, as a member does every one. */
  private static void beat(OutputStream out, int times) throws IOException {
    for (int i = 0; i < times; i++) {
      out.write(SpanFrames.stillAtIt());
      out.flush();
      LockSupport.parkNanos(Duration.ofMillis(500).toNanos());
    }
  }

  @Test
  void aMemberIsTriedAgainByOneCallerAndThenByAll() throws Exception {
    member.script(ScriptedMember.answer(500, new byte[0]));
    assertThatThrownBy(() -> get(client)).isInstanceOf(CacheUnavailableException.class);
    member.script(ScriptedMember.answer(200, RIGHT));
    await().atMost(Duration.ofSeconds(20)).ignoreExceptions().until(() -> get(client).size() == 2);
    assertThat(get(client)).hasSize(2);
  }

  @Test
  void aBusyMemberIsLeftAloneForAsLongAsItSays() throws Exception {
    member.script(ScriptedMember.answer(503, new byte[0], "Retry-After: 1"));
    assertThatThrownBy(() -> get(client)).hasMessageContaining("503");
    assertThatThrownBy(() -> get(client)).hasMessageContaining("failed a moment ago");
    assertThat(member.requests()).hasSize(1);
    member.script(ScriptedMember.answer(200, RIGHT));
    await().atMost(Duration.ofSeconds(20)).ignoreExceptions().until(() -> get(client).size() == 2);
  }

  @Test
  void whatTheFirstChoiceDidNotGiveTheSecondIsAskedForIfItHasIt() throws Exception {
    try (ScriptedMember other = new ScriptedMember(ScriptedMember.answer(504, new byte[0]));
        HttpFleetCache both = client(Optional.empty(), member.uri(), other.uri())) {
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
          HttpFleetCache other = client(Optional.empty(), bad.uri())) {
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
