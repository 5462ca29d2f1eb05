package dev.socifleet.indexer;

import static dev.socifleet.testing.ScriptedRegistries.answered;
import static dev.socifleet.testing.ScriptedRegistries.reset;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.socifleet.cacheclient.FleetCache;
import dev.socifleet.events.LayerResult;
import dev.socifleet.events.LayerTask;
import dev.socifleet.events.TaskConsumer;
import dev.socifleet.events.Topic;
import dev.socifleet.events.ZtocEvent.LayerOutcome;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.testing.RawImage;
import dev.socifleet.testing.ScriptedRegistries;
import dev.socifleet.ztoc.Compression;
import dev.socifleet.ztoc.ZtocBuilder;
import dev.socifleet.ztoc.ZtocOptions;
import dev.socifleet.ztoc.ZtocOutcome;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of a layer task. */
class LayerBuilderIT extends IndexerFixture {
  private static final int FIRST = 1;

  private static byte[] tar;
  private static byte[] ztoc;

  private final OneFleetCache cache = new OneFleetCache();
  private LayerBuilder builder;

  @BeforeAll
  static void makeLayer() throws Exception {
    tar = RawImage.tarGzip(1);
    var options = ZtocOptions.ofSpanSize(SPAN);
    ztoc =
        ((ZtocOutcome.Built)
                ZtocBuilder.build(new ByteArrayInputStream(tar), Compression.GZIP, options))
            .bytes();
  }

  @BeforeEach
  void freshBuilder() {
    builder = builder(Optional.empty());
  }

  private LayerBuilder builder(Optional<FleetCache> of) {
    return new LayerBuilder(config(), registries, rig.producer(), metrics, of);
  }

  private LayerTask task(Descriptor layer, int attempt) {
    return new LayerTask(
        name,
        "a plan",
        layer.digest(),
        layer.mediaType(),
        layer.size(),
        SPAN,
        attempt,
        Instant.now());
  }

  private Descriptor layer() throws Exception {
    return RawImage.layer(repository, tar);
  }

  private void build(Descriptor layer) throws Exception {
    builder.handle(task(layer, 1), FIRST);
  }

  private LayerResult onlyResult() {
    assertThat(outcomes()).hasSize(1);
    return outcomes().getFirst().result();
  }

  private List<LayerTask> delayed(Topic delays) {
    return rig.sent().on(delays, name, LayerTask.class);
  }

  private void nothingIsDelayed() {
    for (Topic delays : List.of(Topic.DELAYED_10S, Topic.DELAYED_1M, Topic.DELAYED_10M)) {
      assertThat(delayed(delays)).isEmpty();
    }
  }

  private void itsZtocIsInTheRepository() throws Exception {
    try (InputStream blob = repository.openBlob(Digest.of(ztoc))) {
      assertThat(blob.readAllBytes()).isEqualTo(ztoc);
    }
  }

  @Test
  void aLayerGetsItsZtocIntoItsRepositoryThenItsOutcomeIsSaid() throws Exception {
    Descriptor layer = layer();
    build(layer);
    itsZtocIsInTheRepository();
    LayerOutcome outcome = outcomes().getFirst();
    assertThat(outcome.planId()).isEqualTo("a plan");
    assertThat(outcome.layer()).isEqualTo(layer.digest());
    assertThat(outcome.spanSizeBytes()).isEqualTo(SPAN);
    assertThat(onlyResult())
        .isInstanceOfSatisfying(
            LayerResult.Indexed.class,
            indexed -> {
              assertThat(indexed.ztoc()).isEqualTo(Digest.of(ztoc));
              assertThat(indexed.ztocSizeBytes()).isEqualTo(ztoc.length);
              assertThat(indexed.uncompressedBytes()).isGreaterThan(20 * 40_000);
            });
  }

  @Test
  void theSameTaskTwiceSaysTheSameTwice() throws Exception {
    build(layer());
    build(layer());
    assertThat(outcomes())
        .hasSize(2)
        .extracting(outcome -> ((LayerResult.Indexed) outcome.result()).ztoc())
        .containsOnly(Digest.of(ztoc));
  }

  @Test
  void aDamagedLayerIsSkippedWithItsReason() throws Exception {
    byte[] damaged = tar.clone();
    damaged[damaged.length / 2] ^= 1;
    build(RawImage.layer(repository, damaged));
    build(RawImage.layer(repository, utf8("no gzip at all")));
    assertThat(outcomes())
        .hasSize(2)
        .extracting(LayerOutcome::result)
        .allSatisfy(result ->
            assertThat(result)
                .isInstanceOfSatisfying(
                    LayerResult.Skipped.class,
                    skipped -> assertThat(skipped.reason()).isNotBlank()));
    nothingIsDelayed();
  }

  @Test
  void aLayerOfAnotherSizeThanItsManifestSaysIsNotRead() throws Exception {
    Descriptor layer = layer();
    build(Descriptor.of(layer.mediaType(), layer.digest(), layer.size() + 1));
    assertThat(onlyResult()).isInstanceOf(LayerResult.Skipped.class);
    assertThat(registries.calls("openBlob")).isZero();
  }

  @Test
  void aLayerThatIsGoneHasFailed() throws Exception {
    Digest gone = Digest.of(utf8("gone"));
    build(Descriptor.of("application/vnd.oci.image.layer.v1.tar+gzip", gone, 4));
    assertThat(onlyResult())
        .isEqualTo(new LayerResult.Failed("the repository has no blob " + gone));
    nothingIsDelayed();
  }

  /** Wherever it comes: before the layer is read, and when the zTOC is uploaded. */
  @ParameterizedTest
  @ValueSource(strings = {"blobSize", "openBlob", "putBlob"})
  void whatMayPassIsTriedAgainLater(String method) throws Exception {
    Descriptor layer = layer();
    registries.next(method, reset(), answered(503, null), answered(429, Duration.ofMinutes(2)));
    for (int i = 0; i < 2; i++) {
      build(layer);
    }
    assertThat(outcomes()).isEmpty();
    assertThat(delayed(Topic.DELAYED_10S)).hasSize(2).allMatch(task -> task.attempt() == 2);
    assertThat(rig.sent().destinations(Topic.DELAYED_10S, name)).containsOnly("LAYERS");

    build(layer);
    assertThat(delayed(Topic.DELAYED_10M)).as("it asked for two minutes").hasSize(1);

    LayerTask again = delayed(Topic.DELAYED_10S).getFirst();
    assertThat(again.planId()).isEqualTo("a plan");
    builder.handle(again, FIRST);
    assertThat(onlyResult()).isInstanceOf(LayerResult.Indexed.class);
    itsZtocIsInTheRepository();
  }

  @Test
  void aTransferThatBreaksOffIsTriedAgainAndNotABadLayer() throws Exception {
    Descriptor layer = layer();
    registries.next("openBlob", firstHalfThen(ScriptedRegistries::reset));
    build(layer);
    assertThat(outcomes()).isEmpty();
    assertThat(delayed(Topic.DELAYED_10S)).hasSize(1);
  }

  private static InputStream firstHalfThen(Supplier<IOException> end) {
    return new SequenceInputStream(
        new ByteArrayInputStream(tar, 0, tar.length / 2),
        new InputStream() {
          @Override
          public int read() throws IOException {
            throw end.get();
          }

          @Override
          public int read(byte[] into, int offset, int length) throws IOException {
            throw end.get();
          }
        });
  }

  @Test
  void theLastPermittedAttemptEndsAsFailedWithItsReason() throws Exception {
    Descriptor layer = layer();
    registries.next("blobSize", answered(503, null), answered(503, null));
    builder.handle(task(layer, ATTEMPTS - 1), FIRST);
    assertThat(outcomes()).isEmpty();
    assertThat(delayed(Topic.DELAYED_10S)).hasSize(1);

    builder.handle(delayed(Topic.DELAYED_10S).getFirst(), FIRST);
    assertThat(onlyResult()).isEqualTo(new LayerResult.Failed("cannot do it: 503"));
    assertThat(delayed(Topic.DELAYED_10S)).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(ints = {401, 403})
  void aCredentialThatDoesNotSufficeFailsAtOnce(int status) throws Exception {
    Descriptor layer = layer();
    registries.next("putBlob", answered(status, null));
    build(layer);
    assertThat(onlyResult()).isEqualTo(new LayerResult.Failed("cannot do it: " + status));
    nothingIsDelayed();
  }

  @Test
  void aTaskWhoseWorkersDiedIsNotTriedOnItsLastDelivery() throws Exception {
    Descriptor layer = layer();
    builder.handle(task(layer, 1), TaskConsumer.LAST_DELIVERY);
    assertThat(onlyResult())
        .isEqualTo(new LayerResult.Failed("building it ended the worker 4 times"));
    assertThat(registries.calls("openBlob")).isZero();
  }

  @Test
  void aBuildThatIsCancelledSaysNothingAndGivesItsLeaseBack() throws Exception {
    Descriptor layer = layer();
    builder = builder(Optional.of(cache));
    Thread building = Thread.currentThread();
    registries.next(
        "openBlob",
        firstHalfThen(() -> {
          building.interrupt();
          return reset();
        }));
    assertThatThrownBy(() -> build(layer)).isInstanceOf(InterruptedException.class);
    assertThat(cache.leases()).hasSize(1);
    assertThat(cache.isLeased(layer.digest(), SPAN)).isFalse();
    saidNothingAfterAnInterrupt();
  }

  @Test
  void aRequestThatFailsBecauseTheBuildIsCancelledIsNoFailure() throws Exception {
    Descriptor layer = layer();
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> build(layer)).isInstanceOf(InterruptedException.class);
    saidNothingAfterAnInterrupt();
  }

  private void saidNothingAfterAnInterrupt() {
    assertThat(Thread.interrupted()).as("the exception told it").isFalse();
    assertThat(outcomes()).isEmpty();
    nothingIsDelayed();
  }

  @Test
  void aZtocThatTheFleetHasIsPutIntoTheRepositoryAndTheLayerIsNotRead() throws Exception {
    Descriptor layer = layer();
    builder = builder(Optional.of(cache));
    cache.putZtoc(layer.digest(), SPAN, ztoc);
    build(layer);
    assertThat(onlyResult()).isEqualTo(new LayerResult.Reused(Digest.of(ztoc), ztoc.length));
    itsZtocIsInTheRepository();
    assertThat(registries.calls("openBlob")).as("the test's own look at the zTOC").isEqualTo(1);
    assertThat(cache.leases()).isEmpty();
  }

  @Test
  void aLayerIsBuiltUnderALeaseForTheWholeFleet() throws Exception {
    Descriptor layer = layer();
    builder = builder(Optional.of(cache));
    cache.putZtoc(layer.digest(), SPAN + 1, utf8("of another span size"));
    build(layer);
    assertThat(onlyResult()).isInstanceOf(LayerResult.Indexed.class);
    assertThat(cache.ztocAsIndexer(layer.digest(), SPAN)).contains(ztoc);
    assertThat(cache.leases()).hasSize(1);
    assertThat(cache.isLeased(layer.digest(), SPAN)).as("given back").isFalse();
  }

  @Test
  void aLayerThatAnotherWorkerBuildsComesAgainAndThatIsNoAttempt() throws Exception {
    Descriptor layer = layer();
    builder = builder(Optional.of(cache));
    cache.giveLeaseTo("another", layer.digest(), SPAN);
    builder.handle(task(layer, ATTEMPTS), FIRST);
    assertThat(outcomes()).isEmpty();
    assertThat(registries.calls("openBlob")).isZero();
    assertThat(delayed(Topic.DELAYED_10S))
        .hasSize(1)
        .allMatch(task -> task.attempt() == ATTEMPTS && task.layer().equals(layer.digest()));
    assertThat(cache.isLeased(layer.digest(), SPAN)).as("still the other's").isTrue();

    cache.putZtoc(layer.digest(), SPAN, ztoc);
    builder.handle(delayed(Topic.DELAYED_10S).getFirst(), FIRST);
    assertThat(onlyResult()).isInstanceOf(LayerResult.Reused.class);
  }

  @Test
  void aBuildThatFailedGivesItsLeaseBack() throws Exception {
    Descriptor layer = layer();
    builder = builder(Optional.of(cache));
    registries.next("openBlob", answered(503, null));
    build(layer);
    assertThat(delayed(Topic.DELAYED_10S)).hasSize(1);
    assertThat(cache.isLeased(layer.digest(), SPAN)).isFalse();
  }

  @Test
  void withoutItsCacheTheFleetBuildsAllTheSame() throws Exception {
    builder = builder(Optional.of(cache));
    cache.goAway();
    build(layer());
    assertThat(onlyResult()).isInstanceOf(LayerResult.Indexed.class);
    itsZtocIsInTheRepository();
  }
}
