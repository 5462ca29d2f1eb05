package dev.socifleet.node.images;

import static dev.socifleet.node.MemoryRegistry.REPOSITORY;
import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.cacheclient.CacheUnavailableException;
import dev.socifleet.node.FakeCache;
import dev.socifleet.node.MemoryRegistry;
import dev.socifleet.node.fetch.FetchCounts;
import dev.socifleet.node.fetch.Repositories;
import dev.socifleet.node.fetch.StallGuard;
import dev.socifleet.node.images.Decisions.Decision;
import dev.socifleet.node.layers.DirectoryLayers;
import dev.socifleet.node.layers.LayerKey;
import dev.socifleet.node.layers.UnservableLayerException;
import dev.socifleet.node.snapshots.Labels;
import dev.socifleet.node.snapshots.LayerSource;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.service.Metrics;
import dev.socifleet.sociindex.SociIndex;
import dev.socifleet.sociindex.SociIndex.LayerZtoc;
import dev.socifleet.sociindex.SociTerms;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageLayersTest {
  private static final long LAYER_SIZE = 20_000_000;
  private static final Set<SociIndex.Version> BOTH = EnumSet.allOf(SociIndex.Version.class);
  private static final Duration PATIENT = Duration.ofMinutes(5);

  @TempDir Path root;
  private final MemoryRegistry registry = new MemoryRegistry();
  private final FakeCache cache = new FakeCache();
  private final Metrics metrics = new Metrics();
  private final Decisions decisions = new Decisions(metrics);
  private final StallGuard stalls = new StallGuard(PATIENT);
  private final List<ImageLayers> opened = new ArrayList<>();
  private DirectoryLayers layers;
  private ImageLayers images;

  @BeforeEach
  void start() throws IOException {
    layers = new DirectoryLayers(root.resolve("l"));
    images = open(rules(PATIENT), Optional.empty());
  }

  @AfterEach
  void stop() {
    opened.forEach(ImageLayers::close);
    stalls.close();
  }

  @Test
  void theFirstQuestionLoadsAllLayersInParallel() throws Exception {
    Image image = image(4);
    CyclicBarrier together = new CyclicBarrier(4);
    registry.hook(request -> {
      if (request.startsWith("blob ")) {
        try {
          together.await();
        } catch (java.util.concurrent.BrokenBarrierException e) {
          throw new AssertionError(e);
        }
      }
    });

    assertThat(images.decide("k8s.io", image.labels(0))).isEqualTo(lazy(image, 0));
    for (int i = 1; i < 4; i++) {
      assertThat(images.decide("k8s.io", image.labels(i))).isEqualTo(lazy(image, i));
    }
    assertThat(registry.requests()).filteredOn(r -> r.startsWith("blob ")).hasSize(4);
    assertThat(registry.requests()).filteredOn(r -> r.startsWith("referrers ")).hasSize(1);
  }

  @Test
  void howeverManyAskTheImageIsResolvedOnce() throws Exception {
    Image image = image(2);
    CountDownLatch go = new CountDownLatch(1);
    registry.hook(request -> go.await());
    List<Thread> pulls = new ArrayList<>();
    AtomicInteger lazy = new AtomicInteger();
    for (int i = 0; i < 20; i++) {
      int layer = i % 2;
      pulls.add(
          Thread.startVirtualThread(() -> {
            if (images.decide("", image.labels(layer)).equals(lazy(image, layer))) {
              lazy.incrementAndGet();
            }
          }));
    }

    go.countDown();
    for (Thread pull : pulls) {
      pull.join();
    }

    assertThat(lazy).hasValue(20);
    assertThat(registry.requests()).hasSize(1 + 1 + 1 + 2); // manifest, referrers, index, zTOCs
    assertThat(layers.repositories()).hasSize(2);
  }

  @Test
  void aLayerThatIsReadyNeedsNoNetwork() throws Exception {
    Image image = image(2);
    images.decide("", image.labels(0));
    images.decide("", image.labels(1));
    registry.clearRequests();

    assertThat(images.decide("", image.labels(0))).isEqualTo(lazy(image, 0));
    assertThat(registry.requests()).isEmpty();
  }

  @Test
  void aLayerOfAnotherImageThatIsHereIsNotLoadedAgain() throws Exception {
    Image first = image(2);
    images.decide("", first.labels(0));
    images.decide("", first.labels(1));
    ManifestBlob manifest =
        registry.putImage(List.of(descriptor(first.layers.getFirst())), Map.of("other", "image"));
    registry.putIndex(
        SociIndex.v1(
            List.of(first.ztocs.getFirst()),
            Descriptor.of(manifest.mediaType(), manifest.digest(), manifest.bytes().length)));
    registry.clearRequests();

    Image second = new Image(manifest, first.layers, first.ztocs);
    assertThat(images.decide("", second.labels(0))).isEqualTo(lazy(first, 0));
    assertThat(registry.requests()).noneMatch(request -> request.startsWith("blob "));
  }

  @Test
  void theIndexThatTheManifestNamesComesBeforeReferrers() throws Exception {
    Image image = image(1);
    byte[] ztoc = bytes("another zTOC");
    LayerZtoc other = ztoc(image.layers.getFirst(), ztoc);
    SociIndex v2 = SociIndex.v2(List.of(other));
    registry.putManifest(v2.manifest(), null);
    ManifestBlob converted =
        registry.putImage(
            List.of(descriptor(image.layers.getFirst())),
            Map.of(SociTerms.INDEX_DIGEST_KEY, v2.manifest().digest().toString()));
    registry.putIndex(
        SociIndex.v1(
            image.ztocs,
            Descriptor.of(converted.mediaType(), converted.digest(), converted.bytes().length)));
    Image both = new Image(converted, image.layers, List.of(other));

    assertThat(images.decide("", both.labels(0))).isEqualTo(lazy(both, 0));

    ImageLayers onlyV1 =
        open(
            new ImageRules(PATIENT, 0, 1 << 20, EnumSet.of(SociIndex.Version.V1)),
            Optional.empty());
    assertThat(onlyV1.decide("", both.labels(0))).isEqualTo(lazy(image, 0));

    ImageLayers none = open(new ImageRules(PATIENT, 0, 1 << 20, Set.of()), Optional.empty());
    assertThat(reason(none, both.labels(0))).isEqualTo(Reason.NO_INDEX);
  }

  @Test
  void theIndexInTheLabelComesFirst() throws Exception {
    Image image = image(1);
    LayerZtoc other = ztoc(image.layers.getFirst(), bytes("the one asked for"));
    SociIndex named = SociIndex.v2(List.of(other));
    registry.putManifest(named.manifest(), null);
    Map<String, String> labels = new HashMap<>(image.labels(0));
    labels.put(Labels.INDEX, named.manifest().digest().toString());

    assertThat(images.decide("", labels))
        .isEqualTo(new LayerSource.Decision.Lazy(new LayerKey(other.layer(), other.ztoc())));
  }

  @Test
  void aTemporaryFailureIsTriedAgainAtTheNextQuestion() throws Exception {
    Image image = image(1);
    AtomicInteger requests = new AtomicInteger();
    registry.hook(request -> {
      if (requests.getAndIncrement() == 0) {
        throw MemoryRegistry.failure(503, true);
      }
    });

    assertThat(reason(images, image.labels(0))).isEqualTo(Reason.TEMPORARY);
    assertThat(images.decide("", image.labels(0))).isEqualTo(lazy(image, 0));
  }

  @Test
  void aTemporaryFailureOfOneLayerKeepsNothingFromTheOthers() throws Exception {
    Image image = image(3);
    AtomicInteger failures = new AtomicInteger();
    registry.hook(request -> {
      if (request.startsWith("blob " + image.ztocs.get(1).ztoc())
          && failures.getAndIncrement() == 0) {
        throw MemoryRegistry.failure(503, true);
      }
    });

    assertThat(images.decide("", image.labels(0))).isEqualTo(lazy(image, 0));
    assertThat(images.decide("", image.labels(2))).isEqualTo(lazy(image, 2));
    Reason first = reason(images, image.labels(1));
    assertThat(first).isIn(Reason.TEMPORARY, Reason.LAZY); // its own loading may have been first
    assertThat(images.decide("", image.labels(1))).isEqualTo(lazy(image, 1));
  }

  @Test
  void noIndexIsBelievedForAWhile() {
    ManifestBlob plain = registry.putImage(List.of(descriptor(digest("a"))), Map.of());
    Image image = new Image(plain, List.of(digest("a")), List.of());

    assertThat(reason(images, image.labels(0))).isEqualTo(Reason.NO_INDEX);
    int requests = registry.requests().size();
    assertThat(reason(images, image.labels(0))).isEqualTo(Reason.NO_INDEX);
    assertThat(registry.requests()).hasSize(requests);
  }

  @Test
  void aCancelledFirstCallerSpoilsNothingForTheOthers() throws Exception {
    Image image = image(1);
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    registry.hook(request -> {
      asked.countDown();
      go.await();
    });
    Thread first = Thread.startVirtualThread(() -> images.decide("", image.labels(0)));
    asked.await();
    first.interrupt();
    first.join();

    go.countDown();

    assertThat(images.decide("", image.labels(0))).isEqualTo(lazy(image, 0));
    assertThat(registry.requests()).filteredOn(r -> r.startsWith("manifest ")).hasSize(2);
  }

  @Test
  void whoWaitsTooLongLeavesTheLayerToContainerdAndTheLoadingGoesOn() throws Exception {
    ImageLayers impatient = open(rules(Duration.ofMillis(100)), Optional.empty());
    CountDownLatch added = new CountDownLatch(1);
    Image image = image(1, directory -> added.countDown());
    CountDownLatch go = new CountDownLatch(1);
    registry.hook(request -> go.await());

    assertThat(reason(impatient, image.labels(0))).isEqualTo(Reason.TIMED_OUT);
    // The image as a whole had its time: the next layer doesn't wait again.
    assertThat(reason(impatient, image.labels(0))).isEqualTo(Reason.TIMED_OUT);
    go.countDown();

    assertThat(added.await(300, TimeUnit.SECONDS)).isTrue();
    assertThat(registry.requests()).filteredOn(r -> r.startsWith("blob ")).hasSize(1);
  }

  @Test
  void labelsThatSayNothingUsableAreAReason() throws Exception {
    Image image = image(1);

    assertThat(reason(images, Map.of())).isEqualTo(Reason.LABELS);
    for (String label : List.of(Labels.IMAGE, Labels.MANIFEST, Labels.LAYER, Labels.INDEX)) {
      for (String bad : List.of("\n", "sha256:..", "../../etc", "x".repeat(5000), "a/b@sha1:0")) {
        Map<String, String> labels = new HashMap<>(image.labels(0));
        labels.put(label, bad);
        assertThat(reason(images, labels)).as("%s=%s", label, bad).isEqualTo(Reason.LABELS);
      }
    }
    assertThat(registry.requests()).isEmpty();
    assertThat(decisions.recent())
        .allSatisfy(d -> assertThat(d.image().length() + d.detail().length()).isLessThan(1100));
  }

  @Test
  void aLayerThatIsNotTheImagesIsAReason() throws Exception {
    Image image = image(1);
    Map<String, String> labels = new HashMap<>(image.labels(0));
    labels.put(Labels.LAYER, digest("foreign").toString());

    assertThat(reason(images, labels)).isEqualTo(Reason.LABELS);
  }

  @Test
  void aRegistryThatIsNotAllowedIsNotAsked() throws Exception {
    Image image = image(1);
    Map<String, String> labels = new HashMap<>(image.labels(0));
    labels.put(Labels.IMAGE, "elsewhere.test/team/app:1");

    assertThat(reason(images, labels)).isEqualTo(Reason.NOT_ALLOWED);
    assertThat(registry.requests()).isEmpty();
  }

  @Test
  void aRegistryThatDeniesIsAReason() throws Exception {
    Image image = image(1);
    registry.hook(request -> {
      throw MemoryRegistry.failure(401, false);
    });

    assertThat(reason(images, image.labels(0))).isEqualTo(Reason.DENIED);
  }

  @Test
  void layersWithoutZtocOrTooSmallAreReasons() throws Exception {
    Image image = image(1);
    Digest small = digest("small");
    ManifestBlob manifest =
        registry.putImage(
            List.of(
                descriptor(image.layers.getFirst()),
                descriptor(small),
                Descriptor.of(MediaTypes.OCI_LAYER_GZIP, digest("tiny"), 10)),
            Map.of());
    LayerZtoc tiny = ztoc(digest("tiny"), bytes("tiny's"));
    registry.putIndex(
        SociIndex.v1(
            List.of(image.ztocs.getFirst(), tiny),
            Descriptor.of(manifest.mediaType(), manifest.digest(), manifest.bytes().length)));
    Image three =
        new Image(manifest, List.of(image.layers.getFirst(), small, digest("tiny")), image.ztocs);
    ImageLayers choosy = open(new ImageRules(PATIENT, 1000, 1 << 20, BOTH), Optional.empty());

    assertThat(choosy.decide("", three.labels(0))).isEqualTo(lazy(image, 0));
    assertThat(reason(choosy, three.labels(1))).isEqualTo(Reason.NO_ZTOC);
    assertThat(reason(choosy, three.labels(2))).isEqualTo(Reason.TOO_SMALL);
    assertThat(registry.requests()).noneMatch(r -> r.startsWith("blob " + tiny.ztoc()));
  }

  @Test
  void aLayerThatCannotBeServedTrulyIsAReasonAndNotLoadedAgain() throws Exception {
    Image image =
        image(
            1,
            directory -> {
              throw new UnservableLayerException("file var/log/lastlog is sparse");
            });

    assertThat(reason(images, image.labels(0))).isEqualTo(Reason.UNSERVABLE);
    assertThat(decisions.recent().getLast().detail()).contains("lastlog is sparse");
    registry.clearRequests();
    assertThat(reason(images, image.labels(0))).isEqualTo(Reason.UNSERVABLE);
    assertThat(registry.requests()).isEmpty();
  }

  @Test
  void aZtocThatClaimsToBeHugeIsNotRead() throws Exception {
    for (long claim : new long[] {0, (1 << 20) + 1, Long.MAX_VALUE}) {
      Digest layer = digest("layer of " + claim);
      byte[] ztoc = bytes("zTOC of " + claim);
      registry.putBlob(ztoc);
      Image image =
          indexed(List.of(layer), List.of(new LayerZtoc(layer, "", Digest.of(ztoc), claim, 1024)));

      assertThat(reason(images, image.labels(0))).isEqualTo(Reason.BROKEN);
      assertThat(registry.requests()).noneMatch(r -> r.startsWith("blob " + Digest.of(ztoc)));
    }
  }

  @Test
  void aZtocOfAnotherSizeThanTheIndexSaysIsNotUsed() throws Exception {
    for (int claim : new int[] {5, 500}) {
      Digest layer = digest("layer of " + claim);
      byte[] ztoc = bytes("a zTOC of other than " + claim + " bytes");
      registry.putBlob(ztoc);
      Image image =
          indexed(List.of(layer), List.of(new LayerZtoc(layer, "", Digest.of(ztoc), claim, 1024)));

      assertThat(reason(images, image.labels(0))).isEqualTo(Reason.BROKEN);
    }
    assertThat(layers.keys()).isEmpty();
  }

  @Test
  void aZtocComesFromTheCacheWhereItIsTheOneThatTheIndexMeans() throws Exception {
    ImageLayers cached = open(rules(PATIENT), Optional.of(cache));
    Image image = image(2);
    cache.holdZtoc(image.layers.get(0), 1024, bytes("zTOC 0"));
    cache.holdZtoc(image.layers.get(1), 1024, bytes("zTOC ?"));

    assertThat(cached.decide("", image.labels(0))).isEqualTo(lazy(image, 0));
    assertThat(cached.decide("", image.labels(1))).isEqualTo(lazy(image, 1));
    assertThat(registry.requests())
        .filteredOn(r -> r.startsWith("blob "))
        .singleElement()
        .satisfies(r -> assertThat(r).startsWith("blob " + image.ztocs.get(1).ztoc()));
  }

  @Test
  void aCacheThatIsDownKeepsNoLayerFromBeingLazy() throws Exception {
    ImageLayers cached = open(rules(PATIENT), Optional.of(cache));
    cache.failWith(new CacheUnavailableException("down", null));
    Image image = image(1);

    assertThat(cached.decide("", image.labels(0))).isEqualTo(lazy(image, 0));
  }

  @Test
  void layersThatTheImageDoesNotHaveAreNotLoaded() throws Exception {
    Image image = image(1);
    LayerZtoc foreign = ztoc(digest("foreign"), bytes("foreign zTOC"));
    Image more = indexed(image.layers, List.of(foreign, image.ztocs.getFirst()));

    assertThat(images.decide("", more.labels(0))).isEqualTo(lazy(image, 0));
    assertThat(registry.requests()).noneMatch(r -> r.startsWith("blob " + foreign.ztoc()));
  }

  @Test
  void layersOfAPullStayUntilTheImageIsForgotten() throws Exception {
    Image image = image(2);
    images.decide("", image.labels(0));
    LayerKey second = new LayerKey(image.layers.get(1), image.ztocs.get(1).ztoc());

    assertThat(images.holds(second)).isTrue();
    assertThat(images.holds(new LayerKey(image.layers.get(1), digest("other zTOC")))).isFalse();
    images.forget(new ImageId(REPOSITORY, image.manifest.digest(), null));
    assertThat(images.holds(second)).isFalse();
  }

  @Test
  void aLayerThatWasTakenAwayIsLoadedAgain() throws Exception {
    Image image = image(1);
    images.decide("", image.labels(0));
    layers.remove(new LayerKey(image.layers.getFirst(), image.ztocs.getFirst().ztoc()));

    assertThat(images.decide("", image.labels(0))).isEqualTo(lazy(image, 0));
    assertThat(layers.keys()).hasSize(1);
  }

  @Test
  void decisionsAreKeptWithTheirReasonAndCounted() throws Exception {
    Image image = image(1);
    images.decide("", image.labels(0));
    images.decide("", image.labels(0));
    images.decide("", Map.of());

    assertThat(decisions.recent())
        .extracting(Decision::layer, Decision::reason)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple(image.layers.getFirst().toString(), Reason.LAZY),
            org.assertj.core.groups.Tuple.tuple("", Reason.LABELS));
    assertThat(metrics.scrape())
        .contains("soci_node_layer_decisions_total{reason=\"lazy\"} 2.0")
        .contains("soci_node_layer_decisions_total{reason=\"labels\"} 1.0");
  }

  @Test
  void whoWaitsIsToldWhenTheNodeCloses() throws Exception {
    Image image = image(1);
    CountDownLatch asked = new CountDownLatch(1);
    registry.hook(request -> {
      asked.countDown();
      new CountDownLatch(1).await();
    });
    Thread pull = Thread.startVirtualThread(() -> images.decide("", image.labels(0)));
    asked.await();

    images.close();
    pull.join();

    assertThat(decisions.recent().getLast().reason()).isEqualTo(Reason.TEMPORARY);
  }

  private record Image(ManifestBlob manifest, List<Digest> layers, List<LayerZtoc> ztocs) {
    Map<String, String> labels(int layer) {
      return Map.of(
          Labels.TARGET,
          "sha256:chain",
          Labels.IMAGE,
          REPOSITORY + ":1",
          Labels.MANIFEST,
          manifest.digest().toString(),
          Labels.LAYER,
          layers.get(layer).toString());
    }
  }

  private Image image(int count) {
    return image(count, directory -> {});
  }

  /** An image with a v1 index of all its layers, which can be added. */
  private Image image(int count, DirectoryLayers.Content content) {
    List<Digest> digests = new ArrayList<>();
    List<LayerZtoc> ztocs = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Digest layer = digest("layer " + i);
      digests.add(layer);
      ztocs.add(ztoc(layer, bytes("zTOC " + i)));
      layers.announce(layer, content);
    }
    return indexed(digests, ztocs);
  }

  private Image indexed(List<Digest> digests, List<LayerZtoc> ztocs) {
    ManifestBlob manifest =
        registry.putImage(
            digests.stream().map(ImageLayersTest::descriptor).toList(),
            Map.of("n", Integer.toString(registry.requests().size())));
    registry.putIndex(
        SociIndex.v1(
            ztocs,
            Descriptor.of(manifest.mediaType(), manifest.digest(), manifest.bytes().length)));
    return new Image(manifest, digests, ztocs);
  }

  private LayerZtoc ztoc(Digest layer, byte[] ztoc) {
    return new LayerZtoc(
        layer, MediaTypes.OCI_LAYER_GZIP, registry.putBlob(ztoc), ztoc.length, 1024);
  }

  private Reason reason(ImageLayers from, Map<String, String> labels) {
    var _ = from.decide("", labels);
    return decisions.recent().getLast().reason();
  }

  private ImageLayers open(ImageRules rules, Optional<FakeCache> from) {
    ImageLayers made =
        new ImageLayers(
            rules,
            new Repositories(registry),
            from.map(c -> c),
            layers,
            decisions,
            new FetchCounts(metrics),
            stalls);
    opened.add(made);
    return made;
  }

  private static ImageRules rules(Duration mountTimeout) {
    return new ImageRules(mountTimeout, 0, 1 << 20, BOTH);
  }

  private static LayerSource.Decision lazy(Image image, int layer) {
    return new LayerSource.Decision.Lazy(
        new LayerKey(image.layers.get(layer), image.ztocs.get(layer).ztoc()));
  }

  private static Descriptor descriptor(Digest layer) {
    return Descriptor.of(MediaTypes.OCI_LAYER_GZIP, layer, LAYER_SIZE);
  }

  private static Digest digest(String text) {
    return Digest.of(bytes(text));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
