package dev.socifleet.node.layers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.socifleet.node.database.NodeDatabase;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RegistryException;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.service.Metrics;
import dev.socifleet.testing.ContainerdProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Layers on a real FUSE mount, their spans from a blob at hand. */
@Timeout(300)
class FuseLayersIT {
  private static final FuseLayers.Limits LIMITS = new FuseLayers.Limits(1L << 30, 8);

  @TempDir Path root;
  private NodeDatabase database;
  private FuseLayers layers;
  private final Blobs blobs = new Blobs();

  /** Gives verified spans of blobs, counts them, and fails when it is told to. */
  private static final class Blobs implements LayerBytes {
    final Map<Digest, byte[]> content = new ConcurrentHashMap<>();
    final List<Integer> requests = Collections.synchronizedList(new ArrayList<>());
    final Map<Digest, AtomicInteger> spans = new ConcurrentHashMap<>();
    final AtomicInteger failures = new AtomicInteger();
    volatile @Nullable IOException failure;

    @Override
    public void fetch(RepositoryName repository, Digest layer, List<SpanRange> wanted, Sink sink)
        throws IOException {
      requests.add(wanted.size());
      IOException fails = failure;
      if (fails != null && failures.getAndDecrement() > 0) {
        throw fails;
      }
      for (SpanRange range : wanted) {
        byte[] bytes =
            Arrays.copyOfRange(
                content.get(layer), (int) range.range().start(), (int) range.range().end());
        assertThat(Digest.of(bytes)).isEqualTo(range.span());
        spans.computeIfAbsent(range.span(), _ -> new AtomicInteger()).incrementAndGet();
        sink.accept(range, bytes);
      }
    }
  }

  @BeforeEach
  void start() throws Exception {
    boolean able =
        Files.isWritable(Path.of("/dev/fuse"))
            && Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
    assertThat(able || !"true".equals(System.getenv("CI"))).as("root and FUSE under CI").isTrue();
    assumeTrue(able, "needs root and /dev/fuse");
    database = NodeDatabase.open(root.resolve("db"));
    layers = open();
  }

  private FuseLayers open() throws IOException {
    return FuseLayers.open(
        root.resolve("mount"), root.resolve("layers"), database, blobs, LIMITS, new Metrics());
  }

  @AfterEach
  void stop() {
    if (layers != null) {
      layers.close();
    }
    if (database != null) {
      database.close();
    }
  }

  private Path add(MadeLayer layer) throws Exception {
    byte[] gzip = layer.gzip();
    blobs.content.put(Digest.of(gzip), gzip);
    byte[] ztoc = MadeLayer.ztocOf(gzip, 1 << 17);
    return layers.add(MadeLayer.keyOf(gzip, ztoc), ztoc, MadeLayer.REPOSITORY);
  }

  private static byte[] random(int seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  @Test
  void filesAreReadAndOnlyTheirSpansFetchedOnce() throws Exception {
    byte[] first = random(1, 1_000_000);
    byte[] second = random(2, 1_000_000);
    Path directory =
        add(
            new MadeLayer()
                .file("first", first, 0644, Map.of())
                .file("second", second, 0644, Map.of()));

    assertThat(blobs.requests).isEmpty();
    assertThat(Files.readAllBytes(directory.resolve("second"))).isEqualTo(second);
    int fetched = blobs.spans.size();
    assertThat(fetched).isLessThan(12);
    assertThat(Files.readAllBytes(directory.resolve("second"))).isEqualTo(second);
    assertThat(blobs.spans).hasSize(fetched);
    assertThat(Files.readAllBytes(directory.resolve("first"))).isEqualTo(first);
    assertThat(blobs.spans.values()).allMatch(count -> count.get() == 1);
    assertThat(blobs.requests).anyMatch(count -> count > 1);
  }

  @Test
  void aHundredReadersOfOneSpanCauseOneFetch() throws Exception {
    byte[] content = random(3, 100_000);
    Path file = add(new MadeLayer().file("f", content, 0644, Map.of())).resolve("f");
    try (ExecutorService readers = Executors.newFixedThreadPool(100)) {
      List<Future<byte[]>> results = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        results.add(readers.submit(() -> Files.readAllBytes(file)));
      }
      for (Future<byte[]> result : results) {
        assertThat(result.get()).isEqualTo(content);
      }
    }
    assertThat(blobs.spans.values()).allMatch(count -> count.get() == 1);
  }

  @Test
  void aReadSurvivesFailuresThatPassAndFailsOnOthers() throws Exception {
    byte[] content = random(4, 50_000);
    Path directory = add(new MadeLayer().file("f", content, 0644, Map.of()));
    blobs.failure = new RegistryException("not now", 503, List.of(), true, null, null);
    blobs.failures.set(3);
    assertThat(Files.readAllBytes(directory.resolve("f"))).isEqualTo(content);

    Path other = add(new MadeLayer().file("g", random(5, 50_000), 0644, Map.of()));
    blobs.failure = new RegistryException("denied", 403, List.of(), false, null, null);
    blobs.failures.set(1000); // the kernel asks again for what its read-ahead didn't get
    assertThatThrownBy(() -> Files.readAllBytes(other.resolve("g")))
        .isInstanceOf(IOException.class);
    blobs.failures.set(0); // and nothing is remembered of it
    assertThat(Files.readAllBytes(other.resolve("g"))).isEqualTo(random(5, 50_000));
  }

  @Test
  void layersStayAcrossRestartsWithTheirNumbersAndSpans() throws Exception {
    byte[] content = random(6, 300_000);
    MadeLayer made = new MadeLayer().file("f", content, 0644, Map.of());
    Path directory = add(made);
    assertThat(Files.readAllBytes(directory.resolve("f"))).isEqualTo(content);
    Object ino = Files.getAttribute(directory.resolve("f"), "unix:ino");
    int requests = blobs.requests.size();
    var keys = layers.keys();

    layers.close();
    Files.createDirectories(root.resolve("layers/new-99/half"));
    layers = open();

    assertThat(layers.keys()).isEqualTo(keys);
    assertThat(layers.find(keys.iterator().next())).hasValue(directory);
    assertThat(Files.readAllBytes(directory.resolve("f"))).isEqualTo(content);
    assertThat(Files.getAttribute(directory.resolve("f"), "unix:ino")).isEqualTo(ino);
    assertThat(blobs.requests).hasSize(requests);
    assertThat(root.resolve("layers/new-99")).doesNotExist();
  }

  @Test
  void aRemovedLayerIsStaleAndItsNumbersAreNotUsedAgain() throws Exception {
    Path first = add(new MadeLayer().file("f", "one"));
    LayerKey key = layers.keys().iterator().next();
    assertThat(first.resolve("f")).hasContent("one");
    try (var open = Files.newInputStream(first.resolve("f"))) {
      layers.remove(key);
      assertThat(first).doesNotExist();
      layers.remove(key); // twice is once
      assertThat(open).isNotNull();
    }
    Path second = add(new MadeLayer().file("g", "two"));
    assertThat(second).isNotEqualTo(first);
    assertThat(second.resolve("g")).hasContent("two");
    assertThat(layers.find(key)).isEmpty();
    try (var left = Files.list(root.resolve("layers"))) {
      assertThat(left).hasSize(1);
    }
  }

  @Test
  void theTreeIsTheOneThatTarUnpacks() throws Exception {
    Path tree = Files.createDirectories(root.resolve("tree"));
    run(
        """
        set -e
        cd %s
        mkdir -p usr/bin etc empty
        cp /usr/bin/passwd /usr/bin/ls usr/bin/ && chmod 4755 usr/bin/passwd
        ln usr/bin/ls usr/bin/dir && ln -s ../bin/ls etc/link && ln -s nowhere dangling
        mknod null c 1 3 && mknod disk b 259 300 && mkfifo fifo
        chown 1000:1001 etc && chmod 2775 etc && chmod 1777 empty
        setcap cap_net_raw+ep usr/bin/ls
        setfattr -n user.note -v hello etc && setfattr -n user.empty -v '' etc
        touch -d '2001-02-03 04:05:06.789' etc/link -h
        i=0; while [ $i -lt 3000 ]; do echo $i > empty/file-$i; i=$((i+1)); done
        head -c 3000000 /dev/urandom > usr/random; : > usr/nothing
        printf 'x' > "$(printf 'latin\\351')"
        """
            .formatted(tree));
    byte[] gzip = tarGzip(tree);
    blobs.content.put(Digest.of(gzip), gzip);
    byte[] ztoc = MadeLayer.ztocOf(gzip, 1 << 18);
    Path directory = layers.add(MadeLayer.keyOf(gzip, ztoc), ztoc, MadeLayer.REPOSITORY);

    assertThat(listing(directory)).isEqualTo(listing(tree));
  }

  private static byte[] tarGzip(Path tree) throws Exception {
    Path file = tree.resolveSibling("tree.tar.gz");
    run(
        "tar --format=posix --xattrs --xattrs-include='*' --numeric-owner -C %s -czf %s ."
            .formatted(tree, file));
    return Files.readAllBytes(file);
  }

  /** Everything that can be seen of a tree, by the machine's own programs. */
  private static List<String> listing(Path tree) throws Exception {
    String script =
        """
        set -e
        cd %s
        export LC_ALL=C
        find . -printf '%%p %%y %%m %%U %%G %%T@ %%l\\n' | sort
        find . -type f -printf '%%p %%s %%n\\n' | sort
        find . -type f -print0 | sort -z | xargs -0 sha256sum
        find . \\( -type c -o -type b \\) -print0 | sort -z | xargs -0 stat -c '%%n %%t:%%T'
        find . -type f -links +1 -printf '%%i %%p\\n' | sort | awk '{ if ($1 == last) print $2, "=", name; else { last = $1; name = $2 } }'
        getfattr -R -P -h -d -m - -e hex . | sort
        """
            .formatted(tree);
    return run(script).lines().toList();
  }

  private static String run(String script) throws IOException, InterruptedException {
    return ContainerdProcess.run(List.of("sh", "-c", script)).success();
  }

  @Test
  void overlaysOfLayersFollowWhiteoutsAndOpaqueDirectories() throws Exception {
    Path lower =
        add(
            new MadeLayer()
                .file("d/kept", "1")
                .file("d/gone", "1")
                .file("o/old", "1")
                .file("r/x", "1"));
    Path upper =
        add(
            new MadeLayer()
                .file("d/.wh.gone", "")
                .file("d/new", "2")
                .file("o/.wh..wh..opq", "")
                .file("o/fresh", "2")
                .file(".wh.r", ""));
    Path merged = Files.createDirectories(root.resolve("merged"));
    run("mount -t overlay overlay -o lowerdir=%s:%s %s".formatted(upper, lower, merged));
    try {
      assertThat(run("cd " + merged + " && find . | LC_ALL=C sort").lines())
          .containsExactly(".", "./d", "./d/kept", "./d/new", "./o", "./o/fresh");
    } finally {
      run("umount " + merged);
    }
  }

  @Test
  void aFullDiskCostsSpeedNotContent() throws Exception {
    layers.close();
    database.close();
    Path small = Files.createDirectories(root.resolve("small"));
    run("mount -t tmpfs -o size=6m tmpfs " + small);
    try {
      database = NodeDatabase.open(root.resolve("db2"));
      layers =
          FuseLayers.open(root.resolve("mount2"), small, database, blobs, LIMITS, new Metrics());
      byte[] content = random(8, 12_000_000);
      Path directory = add(new MadeLayer().file("f", content, 0644, Map.of()));
      assertThat(Files.readAllBytes(directory.resolve("f"))).isEqualTo(content);
    } finally {
      layers.close();
      run("umount -l " + small);
    }
  }

  @Test
  void aLayerWhoseContentCannotBeTrueIsRefused() throws Exception {
    byte[] gzip = new MadeLayer().hardLink("a", "b").gzip();
    byte[] ztoc = MadeLayer.ztocOf(gzip, 1 << 17);
    LayerKey key = MadeLayer.keyOf(gzip, ztoc);
    assertThatThrownBy(() -> layers.add(key, ztoc, MadeLayer.REPOSITORY))
        .isInstanceOf(UnservableLayerException.class);
    assertThat(layers.keys()).isEmpty();
    LayerKey other = new LayerKey(key.layer(), Digest.of(new byte[1]));
    assertThatThrownBy(() -> layers.add(other, ztoc, MadeLayer.REPOSITORY))
        .isInstanceOf(IOException.class);
    try (var left = Files.list(root.resolve("layers"))) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void readsThatWaitStopNobodyElse() throws Exception {
    byte[] content = random(9, 60_000);
    Path hanging = add(new MadeLayer().file("f", content, 0644, Map.of()));
    Path quick = add(new MadeLayer().file("g", "quick"));
    assertThat(quick.resolve("g")).hasContent("quick");
    blobs.failure = new RegistryException("not now", 503, List.of(), true, null, null);
    blobs.failures.set(Integer.MAX_VALUE);
    try (ExecutorService readers = Executors.newFixedThreadPool(50)) {
      List<Future<byte[]>> results = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        results.add(readers.submit(() -> Files.readAllBytes(hanging.resolve("f"))));
      }
      for (int i = 0; i < 50; i++) {
        assertThat(Files.size(hanging.resolve("f"))).isEqualTo(content.length);
      }
      // By one shell: starting fifty from here could take the minute that a read may wait.
      assertThat(run("for i in $(seq 50); do cat " + quick.resolve("g") + "; done"))
          .isEqualTo("quick".repeat(50));
      Process interrupted = new ProcessBuilder("cat", hanging.resolve("f").toString()).start();
      assertThat(interrupted.waitFor(300, java.util.concurrent.TimeUnit.MILLISECONDS)).isFalse();
      interrupted.destroy();
      assertThat(interrupted.waitFor(Duration.ofMinutes(2))).isTrue();
      blobs.failures.set(0);
      for (Future<byte[]> result : results) {
        assertThat(result.get()).isEqualTo(content);
      }
    }
  }
}
