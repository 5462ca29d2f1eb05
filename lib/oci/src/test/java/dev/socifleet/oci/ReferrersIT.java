package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.socifleet.oci.StrictRegistry.Conditions;
import dev.socifleet.oci.WireServer.Reply;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What refers to an image, by the API and by the fallback tag. */
class ReferrersIT extends RegistryFixture {
  private static final String TYPE = "application/vnd.test.sbom";
  private ManifestBlob image;

  @BeforeEach
  void push() {
    image = image(0, null);
    registry.addManifest("team/app", "v1", image.mediaType(), image.bytes());
  }

  private List<Digest> referrers() throws RegistryException {
    return repository.referrers(image.digest(), null).stream().map(Descriptor::digest).toList();
  }

  private String fallbackTag() {
    return image.digest().toString().replace(':', '-');
  }

  private ManifestBlob put(int number) throws RegistryException {
    ManifestBlob referrer = image(number, descriptor(image));
    repository.putReferrer(image.digest(), referrer);
    return referrer;
  }

  @Test
  void aRegistryWithTheApiIndexesByItself() throws Exception {
    ManifestBlob referrer = put(1);

    assertThat(referrers()).containsExactly(referrer.digest());
    assertThat(registry.manifest("team/app", fallbackTag())).isNull();
  }

  @Test
  void aRegistryWithTheApiThatDoesNotSaySoGetsNoTag() throws Exception {
    registry.disturb(
        1,
        call -> call.method().equals("PUT"),
        (call, real) -> {
          var _ = real.get();
          return Reply.of(201);
        });

    put(1);

    assertThat(registry.manifest("team/app", fallbackTag())).isNull();
  }

  @Test
  void withoutTheApiTheTagHoldsAnIndex() throws Exception {
    registry.referrersApi = false;

    ManifestBlob first = put(1);
    ManifestBlob second = put(2);

    assertThat(referrers()).containsExactly(first.digest(), second.digest());
    Descriptor found = repository.referrers(image.digest(), TYPE).getFirst();
    assertThat(found)
        .isEqualTo(descriptor(first).withArtifactType(TYPE).withAnnotations(Map.of("number", "1")));
    ImageIndex index = OciJson.index(repository.manifest(fallbackTag()).orElseThrow().bytes());
    assertThat(index.mediaType()).isEqualTo(MediaTypes.OCI_INDEX);
  }

  @Test
  void anIndexRefersAsWell() throws Exception {
    registry.referrersApi = false;
    byte[] bytes =
        OciJson.write(
            new ImageIndex(
                MediaTypes.OCI_INDEX, TYPE, List.of(), descriptor(image), Map.of("a", "b")));
    ManifestBlob index = new ManifestBlob(MediaTypes.OCI_INDEX, Digest.of(bytes), bytes);

    repository.putReferrer(image.digest(), index);

    assertThat(repository.referrers(image.digest(), TYPE))
        .containsExactly(
            descriptor(index).withArtifactType(TYPE).withAnnotations(Map.of("a", "b")));
  }

  @Test
  void theSameReferrerTwiceIsThereOnce() throws Exception {
    registry.referrersApi = false;

    put(1);
    put(1);

    assertThat(referrers()).hasSize(1);
  }

  @Test
  void anArtifactTypeIsFilteredHereWhereTheRegistryDoesNot() throws Exception {
    put(1);
    for (boolean filters : new boolean[] {true, false}) {
      registry.filters = filters;

      assertThat(repository.referrers(image.digest(), TYPE)).hasSize(1);
      assertThat(repository.referrers(image.digest(), "application/vnd.other")).isEmpty();
    }
  }

  @Test
  void allPagesAreRead() throws Exception {
    registry.pageSize = 3;
    for (int i = 1; i <= 8; i++) {
      put(i);
    }

    assertThat(repository.referrers(image.digest(), TYPE)).hasSize(8);
  }

  @Test
  void whatIsNoListOfReferrersMeansThatThereIsNoApi() throws Exception {
    registry.referrersApi = false;
    ManifestBlob referrer = put(1);
    for (Reply reply :
        List.of(
            Reply.of(200, "text/html", utf8("<html>log in</html>")),
            Reply.error(400, "UNSUPPORTED", "?"),
            Reply.error(405, "UNSUPPORTED", "?"),
            Reply.error(404, "NOT_FOUND", "?"))) {
      registry.disturb(1, call -> call.path().contains("/referrers/"), (call, real) -> reply);

      assertThat(referrers()).containsExactly(referrer.digest());
    }
  }

  @Test
  void aDeniedListIsNotAnEmptyOne() {
    registry.disturb(
        1,
        call -> call.path().contains("/referrers/"),
        (call, real) -> Reply.error(403, "DENIED", "no"));

    assertThatThrownBy(this::referrers).hasMessageContaining("403: DENIED");
  }

  @Test
  void aTagThatIsNoIndexIsAnErrorThatNamesIt() {
    registry.referrersApi = false;
    registry.addManifest("team/app", fallbackTag(), image.mediaType(), image.bytes());

    assertThatThrownBy(() -> put(1)).hasMessageContaining("referrers tag of " + image.digest());
  }

  @Test
  void whatStandsInTheTagStays() throws Exception {
    registry.referrersApi = false;
    ManifestBlob foreign = image(7, descriptor(image));
    registry.addManifest(
        "team/app", foreign.digest().toString(), foreign.mediaType(), foreign.bytes());
    byte[] index =
        OciJson.write(
            new ImageIndex(
                MediaTypes.OCI_INDEX,
                "",
                List.of(descriptor(foreign).withAnnotations(Map.of("by", "somebody"))),
                null,
                Map.of("kept", "yes")));
    registry.addManifest("team/app", fallbackTag(), MediaTypes.OCI_INDEX, index);

    ManifestBlob ours = put(1);

    ImageIndex now = OciJson.index(repository.manifest(fallbackTag()).orElseThrow().bytes());
    assertThat(now.annotations()).containsEntry("kept", "yes");
    assertThat(now.manifests())
        .extracting(Descriptor::digest)
        .containsExactly(foreign.digest(), ours.digest());
    assertThat(now.manifests().getFirst().annotations()).containsEntry("by", "somebody");
  }

  @Test
  void aRegistryThatRefusesEveryConditionIsWrittenWithoutOne() throws Exception {
    registry.referrersApi = false;
    registry.conditions = Conditions.NEVER_MET;

    put(1);
    put(2);

    assertThat(referrers()).hasSize(2);
  }

  /** A foreign client reads before we write and writes after: we notice and repair. */
  @Test
  void anEntryThatAnotherWriterErasedIsPutBack() throws Exception {
    registry.referrersApi = false;
    ManifestBlob foreign = image(7, descriptor(image));
    registry.addManifest(
        "team/app", foreign.digest().toString(), foreign.mediaType(), foreign.bytes());
    registry.disturb(
        1,
        call -> call.is("PUT", fallbackTag()),
        (call, real) -> {
          Reply reply = real.get();
          overwrite(foreign);
          return reply;
        });

    ManifestBlob ours = put(1);

    assertThat(referrers()).containsExactlyInAnyOrder(foreign.digest(), ours.digest());
  }

  /** The same where If-Match holds: then we never overwrite the other one either. */
  @Test
  void withIfMatchNobodyIsOverwritten() throws Exception {
    registry.referrersApi = false;
    registry.conditions = Conditions.HONOURED;
    ManifestBlob foreign = image(7, descriptor(image));
    registry.addManifest(
        "team/app", foreign.digest().toString(), foreign.mediaType(), foreign.bytes());
    AtomicInteger refused = new AtomicInteger();
    registry.disturb(
        2,
        call -> call.is("PUT", fallbackTag()),
        (call, real) -> {
          overwrite(foreign);
          Reply reply = real.get();
          if (reply.status() == 412) {
            refused.incrementAndGet();
          }
          return reply;
        });

    ManifestBlob ours = put(1);

    assertThat(referrers()).containsExactlyInAnyOrder(foreign.digest(), ours.digest());
    assertThat(refused).hasPositiveValue();
  }

  private void overwrite(ManifestBlob only) {
    registry.addManifest(
        "team/app",
        fallbackTag(),
        MediaTypes.OCI_INDEX,
        OciJson.write(
            new ImageIndex(MediaTypes.OCI_INDEX, "", List.of(descriptor(only)), null, Map.of())));
  }

  /** A foreign client that keeps to If-Match as well, at the same time as ours. */
  @Test
  void withIfMatchNeitherWeNorAForeignWriterLoseAnything() throws Exception {
    registry.referrersApi = false;
    registry.conditions = Conditions.HONOURED;
    List<Digest> all = new ArrayList<>();
    List<ManifestBlob> foreign = new ArrayList<>();
    for (int i = 100; i < 160; i++) {
      ManifestBlob each = image(i, descriptor(image));
      registry.addManifest("team/app", each.digest().toString(), each.mediaType(), each.bytes());
      foreign.add(each);
      all.add(each.digest());
    }
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> other =
          threads.submit(() -> {
            for (ManifestBlob each : foreign) {
              long began = System.nanoTime();
              addAsAForeignClient(each);
              // The slower the machine, the longer: a writer that never pauses keeps us out.
              Thread.sleep(Duration.ofNanos(4 * (System.nanoTime() - began)).plusMillis(20));
            }
            return null;
          });
      for (int i = 1; i <= 15; i++) {
        all.add(put(i).digest());
      }
      other.get();
    }

    assertThat(referrers()).containsExactlyInAnyOrderElementsOf(all);
  }

  private void addAsAForeignClient(ManifestBlob referrer) throws Exception {
    URI tag = URI.create(registry.server().url() + "/v2/team/app/manifests/" + fallbackTag());
    try (HttpClient http = HttpClient.newHttpClient()) {
      int status = 0;
      while (status != 201) {
        HttpResponse<byte[]> known =
            http.send(
                HttpRequest.newBuilder(tag)
                    .header("User-Agent", AGENT)
                    .header("Accept", MediaTypes.OCI_INDEX)
                    .build(),
                HttpResponse.BodyHandlers.ofByteArray());
        boolean there = known.statusCode() == 200;
        List<Descriptor> entries =
            new ArrayList<>(there ? OciJson.index(known.body()).manifests() : List.of());
        entries.add(descriptor(referrer));
        status =
            http.send(
                    HttpRequest.newBuilder(tag)
                        .header("User-Agent", AGENT)
                        .header("Content-Type", MediaTypes.OCI_INDEX)
                        .header(
                            there ? "If-Match" : "If-None-Match",
                            there ? known.headers().firstValue("ETag").orElseThrow() : "*")
                        .PUT(
                            HttpRequest.BodyPublishers.ofByteArray(
                                OciJson.write(
                                    new ImageIndex(
                                        MediaTypes.OCI_INDEX, "", entries, null, Map.of()))))
                        .build(),
                    HttpResponse.BodyHandlers.discarding())
                .statusCode();
      }
    }
  }

  @Test
  void manyWritersOfOneProcessLoseNothing() throws Exception {
    registry.referrersApi = false;
    List<ManifestBlob> all = new ArrayList<>();
    for (int i = 1; i <= 12; i++) {
      all.add(image(i, descriptor(image)));
    }
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> puts = new ArrayList<>();
      for (ManifestBlob each : all) {
        puts.add(
            threads.submit(() -> {
              repository.putReferrer(image.digest(), each);
              return null;
            }));
      }
      for (Future<?> put : puts) {
        put.get();
      }
    }

    assertThat(referrers())
        .containsExactlyInAnyOrderElementsOf(all.stream().map(ManifestBlob::digest).toList());
  }
}
