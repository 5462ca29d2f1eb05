package dev.socifleet.cli.index;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.socifleet.cli.RunSoci;
import dev.socifleet.cli.RunSoci.Ended;
import dev.socifleet.cli.remote.RegistryBehind;
import dev.socifleet.embedded.registry.SmallRegistry;
import dev.socifleet.oci.BlobContent;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.ImageIndex;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Repository;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.sociindex.SociTerms;
import dev.socifleet.testing.DockerRegistryProcess;
import dev.socifleet.testing.MadeImage;
import dev.socifleet.testing.Needs;
import dev.socifleet.testing.OpenRegistries;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirFactory;

/**
 * Commands that publish at the same time, where a registry has no Referrers API: they share
 * nothing, as processes don't, and change the same fallback tag. 200 rounds, on eight images side
 * by side, for a writer spends most of a round waiting whether somebody overwrites it.
 */
@Timeout(1800)
class PublishingRaceIT {
  private static final int IMAGES = 8;
  private static final int ROUNDS = 25;
  private static final int WRITERS = 2;
  private static final int SPAN_SIZE = 1 << 20;

  /**
   * In memory, where that can be: the registry writes through to a disk, and how long a write takes
   * there may vary by more than the time for which a writer waits whether it is overwritten.
   */
  private static final class InMemory implements TempDirFactory {
    private static final Path MEMORY = Path.of("/dev/shm");

    @Override
    public Path createTempDirectory(AnnotatedElementContext of, ExtensionContext in)
        throws IOException {
      return Files.isWritable(MEMORY)
          ? Files.createTempDirectory(MEMORY, "soci-race")
          : Files.createTempDirectory("soci-race");
    }
  }

  @TempDir(factory = InMemory.class)
  private Path directory;

  private final HttpClient foreign = HttpClient.newHttpClient();

  @AfterEach
  void close() {
    foreign.close();
  }

  @Test
  void twoCommandsOnOneFallbackTagLoseNothing() throws Exception {
    Needs.programs("docker-registry");
    try (DockerRegistryProcess registry =
        DockerRegistryProcess.start(Files.createDirectory(directory.resolve("registry")))) {
      race(registry.host(), contest -> {});
    }
  }

  /**
   * The third writer isn't ours, and doesn't look again after it has written: in each round between
   * what one of ours reads and what that writes.
   */
  @Test
  void whereIfMatchIsHonouredAForeignWriterLosesNothingEither() throws Exception {
    Path state = Files.createDirectory(directory.resolve("registry"));
    Map<String, Contest> contests = new ConcurrentHashMap<>();
    try (SmallRegistry registry =
            SmallRegistry.start(SmallRegistry.Options.in(state).withReferrersApi(false));
        HttpRegistries registries = OpenRegistries.at(registry.host());
        RegistryBehind behind = new RegistryBehind(registry.host());
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      HttpServer inFront =
          HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      inFront.setExecutor(threads);
      inFront.createContext(
          "/v2/",
          call -> {
            String path = call.getRequestURI().getPath();
            try (call) {
              if (call.getRequestMethod().equals("PUT") && path.contains("/manifests/sha256-")) {
                String name = path.split("/", -1)[2];
                Contest contest = Objects.requireNonNull(contests.get(name), name);
                Repository direct =
                    registries.repository(new RepositoryName(registry.host(), name));
                contest.onceARound(round -> add(direct, contest.image(), round));
              }
              behind.answer(call);
            }
          });
      inFront.start();
      try {
        race(
            "127.0.0.1:" + inFront.getAddress().getPort(),
            contest -> contests.put(contest.repository().name().name(), contest));
      } finally {
        inFront.stop(0);
      }
    }
  }

  /**
   * @param begun told of each contest before it begins
   */
  private void race(String host, Consumer<Contest> begun) throws Exception {
    List<Future<?>> writers = new ArrayList<>();
    try (HttpRegistries registries = OpenRegistries.at(host);
        ExecutorService threads =
            Executors.newThreadPerTaskExecutor(Thread.ofPlatform().factory())) {
      for (int i = 0; i < IMAGES; i++) {
        String name = host + "/app" + i;
        Repository repository = registries.repository(RepositoryName.parse(name));
        Contest contest = new Contest(repository, push(repository, i));
        begun.accept(contest);
        for (int command = 0; command < WRITERS; command++) {
          int spans = SPAN_SIZE + command * ROUNDS;
          writers.add(
              threads.submit(contest.writer(round -> published(name + ":1", spans + round))));
        }
      }
      try {
        for (Future<?> each : writers) {
          each.get(25, TimeUnit.MINUTES);
        }
      } finally {
        threads.shutdownNow();
      }
    }
  }

  private Descriptor push(Repository repository, int number) throws Exception {
    Path layer = Files.createDirectories(directory.resolve("layer" + number));
    Files.writeString(layer.resolve("hello"), "image " + number);
    MadeImage image = MadeImage.of(List.of(layer), List.of("/hello"));
    image.push(repository, "1");
    ManifestBlob manifest = image.manifestBlob();
    return Descriptor.of(manifest.mediaType(), manifest.digest(), manifest.bytes().length);
  }

  /** One referrer in each round. */
  @FunctionalInterface
  private interface Writing {
    Digest in(int round) throws IOException;
  }

  /** Writers that begin each round together; at its end each sees what all have written. */
  private record Contest(
      Repository repository,
      Descriptor image,
      CyclicBarrier together,
      Set<Digest> written,
      AtomicInteger round,
      AtomicInteger visited) {
    Contest(Repository repository, Descriptor image) {
      this(
          repository,
          image,
          new CyclicBarrier(WRITERS),
          ConcurrentHashMap.newKeySet(),
          new AtomicInteger(),
          new AtomicInteger(-1));
    }

    Callable<Boolean> writer(Writing writing) {
      return () -> {
        for (int now = 0; now < ROUNDS; now++) {
          round.set(now);
          together.await();
          written.add(writing.in(now));
          together.await();
          assertThat(repository.referrers(image.digest(), null))
              .as("%s after round %d", repository.name(), now)
              .extracting(Descriptor::digest)
              .containsExactlyInAnyOrderElementsOf(written);
        }
        return true;
      };
    }

    /** Writes unless that was done in this round. */
    void onceARound(Writing writing) throws IOException {
      int now = round.get();
      if (visited.getAndSet(now) != now) {
        written.add(writing.in(now));
      }
    }
  }

  /** What {@code soci index create} publishes; with another span size it is another index. */
  private static Digest published(String reference, int spanSize) {
    Ended ended =
        RunSoci.soci(
            "index",
            "create",
            "--index-version",
            "v1",
            "--force",
            "--min-layer-size",
            "0",
            "--span-size",
            String.valueOf(spanSize),
            reference);
    assertThat(ended.failure()).isEmpty();
    return ended.lines().stream()
        .filter(line -> line.startsWith("published v1 index "))
        .map(line -> Digest.parse(line.split(" ", -1)[3]))
        .findFirst()
        .orElseThrow();
  }

  /** Adds a referrer as the distribution specification has it, with If-Match. */
  private Digest add(Repository repository, Descriptor image, int round) throws IOException {
    byte[] manifest =
        OciJson.write(
            new ImageManifest(
                MediaTypes.OCI_MANIFEST,
                "application/vnd.test.foreign",
                Descriptor.of(SociTerms.V1_TYPE, SociTerms.emptyConfigDigest(), 2),
                List.of(),
                image,
                Map.of("round", String.valueOf(round))));
    Digest digest = Digest.of(manifest);
    byte[] config = SociTerms.emptyConfig();
    repository.putBlob(SociTerms.emptyConfigDigest(), config.length, BlobContent.of(config));
    repository.putManifest(digest.toString(), MediaTypes.OCI_MANIFEST, manifest);
    URI tag =
        URI.create(
            "http://"
                + repository.name().registry()
                + "/v2/"
                + repository.name().name()
                + "/manifests/"
                + image.digest().toString().replace(':', '-'));
    Descriptor entry =
        Descriptor.of(MediaTypes.OCI_MANIFEST, digest, manifest.length)
            .withArtifactType("application/vnd.test.foreign");
    try {
      for (int status = 0; status != 201; ) {
        status = put(tag, entry);
        assertThat(status).isIn(201, 412);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while a referrer is added");
    }
    return digest;
  }

  /** Reads the fallback tag, and writes it with an entry more if it is still the same. */
  private int put(URI tag, Descriptor entry) throws IOException, InterruptedException {
    HttpResponse<byte[]> known =
        foreign.send(
            HttpRequest.newBuilder(tag).header("Accept", MediaTypes.OCI_INDEX).build(),
            HttpResponse.BodyHandlers.ofByteArray());
    boolean there = known.statusCode() == 200;
    List<Descriptor> entries =
        new ArrayList<>(there ? OciJson.index(known.body()).manifests() : List.of());
    entries.add(entry);
    byte[] index = OciJson.write(new ImageIndex(MediaTypes.OCI_INDEX, "", entries, null, Map.of()));
    return foreign
        .send(
            HttpRequest.newBuilder(tag)
                .header("Content-Type", MediaTypes.OCI_INDEX)
                .header(
                    there ? "If-Match" : "If-None-Match",
                    there ? known.headers().firstValue("ETag").orElseThrow() : "*")
                .PUT(HttpRequest.BodyPublishers.ofByteArray(index))
                .build(),
            HttpResponse.BodyHandlers.discarding())
        .statusCode();
  }
}
