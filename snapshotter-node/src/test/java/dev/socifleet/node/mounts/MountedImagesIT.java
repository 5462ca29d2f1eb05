package dev.socifleet.node.mounts;

import static dev.socifleet.node.MemoryRegistry.REPOSITORY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.socifleet.node.MemoryRegistry;
import dev.socifleet.node.database.NodeDatabase;
import dev.socifleet.node.fetch.FetchCounts;
import dev.socifleet.node.fetch.FetchCounts.Content;
import dev.socifleet.node.fetch.FetchCounts.Source;
import dev.socifleet.node.fetch.Repositories;
import dev.socifleet.node.fetch.StallGuard;
import dev.socifleet.node.images.Decisions;
import dev.socifleet.node.images.ImageLayers;
import dev.socifleet.node.images.ImageRules;
import dev.socifleet.node.layers.DirectoryLayers;
import dev.socifleet.node.layers.LayerKey;
import dev.socifleet.node.mounts.MountedImage.MountedLayer;
import dev.socifleet.node.mounts.UnmountableException.Kind;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageIndex;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Platform;
import dev.socifleet.oci.Platforms;
import dev.socifleet.service.Metrics;
import dev.socifleet.sociindex.SociIndex;
import dev.socifleet.sociindex.SociIndex.LayerZtoc;
import dev.socifleet.testing.Needs;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Needs root and GNU tar. */
class MountedImagesIT {
  private static final Platform HOST = Platforms.host();

  @TempDir Path root;
  private final MemoryRegistry registry = new MemoryRegistry();
  private final FetchCounts counts = new FetchCounts(new Metrics());
  private final Decisions decisions = new Decisions(new Metrics());
  private final StallGuard stalls = new StallGuard(Duration.ofMinutes(5));
  private final Repositories repositories = new Repositories(registry);
  private DirectoryLayers layers;
  private NodeDatabase database;
  private ImageLayers images;
  private MountedImages mounts;

  @BeforeEach
  void start() throws IOException {
    Needs.root();
    layers = new DirectoryLayers(root.resolve("snapshots/l"));
    database = NodeDatabase.open(root.resolve("db"));
    images =
        new ImageLayers(
            new ImageRules(
                Duration.ofMinutes(5), 0, 1 << 20, EnumSet.allOf(SociIndex.Version.class)),
            repositories,
            Optional.empty(),
            layers,
            decisions,
            counts,
            stalls);
    mounts = open(10 << 20);
  }

  @AfterEach
  void stop() {
    if (images != null) {
      images.close();
      database.close();
    }
    stalls.close();
  }

  private MountedImages open(long unpackLimit) throws IOException {
    return new MountedImages(
        root.resolve("snapshots"),
        database,
        repositories,
        images,
        decisions,
        layers,
        counts,
        stalls,
        unpackLimit);
  }

  @Test
  void lazyLayersAndUnpackedOnesAreLowerDirectoriesNearestFirst() throws Exception {
    Descriptor base = layer(file("base", "from the base"));
    Descriptor top = layer(directory("./", 0700), file("top", "from the top"));
    LayerKey lazy = index(tag("app", image(base, top)), base);

    MountedImage mounted = mounts.mount(REPOSITORY + ":app", HOST);

    assertThat(mounted.lower()).hasSize(2);
    assertThat(Path.of(mounted.lower().get(0)).resolve("top")).hasContent("from the top");
    assertThat(mounted.lower().get(1)).isEqualTo(layers.find(lazy).orElseThrow().toString());
    assertThat(mounted.layers())
        .extracting(MountedLayer::lazy, MountedLayer::reason)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple(true, "lazy"),
            org.assertj.core.groups.Tuple.tuple(false, "no-ztoc"));
    assertThat(mounted.root().mode()).isEqualTo(0700);
    assertThat(mounts.holds(lazy)).isTrue();
    assertThat(counts.all())
        .contains(new FetchCounts.Count(Source.REGISTRY, Content.LAYERS, 1, top.size()));
    assertThat(decisions.recent()).hasSize(2);
  }

  @Test
  void aReleasedMountKeepsNothing() throws Exception {
    Descriptor base = layer(file("base", "b"));
    Descriptor top = layer(file("top", "t"));
    LayerKey lazy = index(tag("app", image(base, top)), base);
    MountedImage first = mounts.mount(REPOSITORY + ":app", HOST);
    MountedImage second = mounts.mount(REPOSITORY + ":app", HOST);
    Path unpacked = Path.of(first.lower().getFirst());
    assertThat(second.lower()).isEqualTo(first.lower());

    assertThat(mounts.release(first.id())).isTrue();
    assertThat(unpacked).isDirectory();
    assertThat(mounts.holds(lazy)).isTrue();

    assertThat(mounts.release(second.id())).isTrue();
    assertThat(unpacked).doesNotExist();
    assertThat(mounts.holds(lazy)).isFalse();
    assertThat(images.holds(lazy)).isFalse();
    assertThat(mounts.release(second.id())).isFalse();
    assertThat(entries(root.resolve("snapshots/u"))).isEmpty();
  }

  @Test
  void mountsAreHeldAcrossARestartOfTheNode() throws Exception {
    Descriptor base = layer(file("base", "b"));
    Descriptor top = layer(file("top", "t"));
    LayerKey lazy = index(tag("app", image(base, top)), base);
    MountedImage mounted = mounts.mount(REPOSITORY + ":app", HOST);
    Files.createDirectories(root.resolve("snapshots/u/new-left-by-a-crash/x"));

    MountedImages restarted = open(10 << 20);

    assertThat(restarted.all()).containsExactly(mounted);
    assertThat(restarted.holds(lazy)).isTrue();
    assertThat(Path.of(mounted.lower().getFirst())).isDirectory();
    assertThat(entries(root.resolve("snapshots/u"))).hasSize(1);
    assertThat(restarted.release(mounted.id())).isTrue();
    assertThat(Path.of(mounted.lower().getFirst())).doesNotExist();
  }

  @Test
  void mountsOfAnEarlierBootAreForgotten() throws Exception {
    tag("app", image(layer(file("f", "f"))));
    MountedImage mounted = mounts.mount(REPOSITORY + ":app", HOST);
    database.write(
        new NodeDatabase.Batch().put("mounts-boot", "another".getBytes(StandardCharsets.US_ASCII)));

    assertThat(open(10 << 20).all()).isEmpty();
    assertThat(Path.of(mounted.lower().getFirst())).doesNotExist();
  }

  @Test
  void anImageOfOneLayerHasTwoLowerDirectories() throws Exception {
    tag("one", image(layer(file("f", "f"))));

    MountedImage mounted = mounts.mount(REPOSITORY + ":one", HOST);

    assertThat(mounted.lower()).hasSize(2);
    assertThat(entries(Path.of(mounted.lower().getLast()))).isEmpty();
  }

  @Test
  void aLayerThatIsThereTwiceIsOneLowerDirectory() throws Exception {
    Descriptor twice = layer(file("twice", "t"));
    Descriptor between = layer(file("between", "b"));
    tag("twice", image(twice, between, twice));

    MountedImage mounted = mounts.mount(REPOSITORY + ":twice", HOST);

    assertThat(mounted.lower()).hasSize(2);
    assertThat(Path.of(mounted.lower().getFirst()).resolve("twice")).exists();
    assertThat(mounts.release(mounted.id())).isTrue();
    assertThat(entries(root.resolve("snapshots/u"))).isEmpty();
  }

  @Test
  void theImageOfThePlatformIsChosen() throws Exception {
    Descriptor arm = entry(image(layer(file("arm", ""))), "linux/arm64");
    Descriptor amd = entry(image(layer(file("amd", ""))), "linux/amd64");
    Descriptor attestation = entry(image(layer(file("none", ""))), "unknown/unknown");
    byte[] index =
        OciJson.write(
            new ImageIndex(
                MediaTypes.OCI_INDEX, "", List.of(attestation, arm, amd), null, Map.of()));
    registry.putManifest(new ManifestBlob(MediaTypes.OCI_INDEX, Digest.of(index), index), "multi");

    MountedImage mounted = mounts.mount(REPOSITORY + ":multi", Platforms.parse("linux/arm64/v8"));

    assertThat(mounted.manifest()).isEqualTo(arm.digest().toString());
    refuses(Kind.NOT_FOUND, "multi", Platforms.parse("linux/riscv64"), "linux/amd64");
  }

  @Test
  void whatCannotBeMountedSaysWhy() throws Exception {
    refuses(Kind.NOT_FOUND, "absent", HOST, "the registry has no");
    assertThatThrownBy(() -> mounts.mount("elsewhere.test/app:1", HOST))
        .isInstanceOf(UnmountableException.class)
        .hasMessageContaining("[[registry]]");
    assertThatThrownBy(() -> mounts.mount("No Reference", HOST))
        .isInstanceOfSatisfying(
            UnmountableException.class, e -> assertThat(e.kind()).isEqualTo(Kind.BAD_REQUEST));

    tag("app", image(layer(file("f", "f"))));
    registry.hook(request -> {
      throw MemoryRegistry.failure(403, false);
    });
    refuses(Kind.REFUSED, "app", HOST, "403");
    registry.clearHooks();
    registry.hook(request -> {
      throw MemoryRegistry.failure(503, true);
    });
    assertThatThrownBy(() -> mounts.mount(REPOSITORY + ":app", HOST))
        .isInstanceOf(IOException.class);
    registry.clearHooks();
    assertThat(mounts.mount(REPOSITORY + ":app", HOST).layers()).hasSize(1);
  }

  @Test
  void aLayerThatUnpacksToTooMuchIsRefusedAndLeavesNothing() throws Exception {
    tag("bomb", image(layer(file("zeros", "0".repeat(2_000_000)))));
    mounts = open(1_000_000);

    refuses(Kind.UNSUITABLE, "bomb", HOST, "unpack-limit");
    assertThat(entries(root.resolve("snapshots/u"))).isEmpty();
    assertThat(mounts.all()).isEmpty();
  }

  @Test
  void layersThatAreNoTarOrDamagedAreRefused() throws Exception {
    byte[] zstd = {0x28, (byte) 0xb5, 0x2f, (byte) 0xfd, 0, 0};
    tag("zstd", image(blob(zstd)));
    refuses(Kind.UNSUITABLE, "zstd", HOST, "zstd");

    tag("text", image(blob("x".repeat(5000).getBytes(StandardCharsets.US_ASCII))));
    refuses(Kind.UNSUITABLE, "text", HOST, "tar");
    assertThat(entries(root.resolve("snapshots/u"))).isEmpty();
  }

  @Test
  void specialFilesAndAttributesAreWhatTheLayerSays() throws Exception {
    TarArchiveEntry device = new TarArchiveEntry("null", TarConstants.LF_CHR);
    device.setDevMajor(1);
    device.setDevMinor(3);
    TarArchiveEntry setuid = new TarArchiveEntry("sudo");
    setuid.setMode(04755);
    setuid.setIds(7, 8);
    setuid.setSize(1);
    TarArchiveEntry capable = new TarArchiveEntry("ping");
    capable.addPaxHeader("SCHILY.xattr.user.note", "hello");
    tag(
        "special",
        image(
            layer(
                new Member(device, ""),
                new Member(setuid, "s"),
                new Member(capable, ""),
                directory("d/", 0755),
                file("d/.wh.gone", ""),
                directory("o/", 01777),
                file("o/.wh..wh..opq", ""))));

    Path lower = Path.of(mounts.mount(REPOSITORY + ":special", HOST).lower().getFirst());

    assertThat(unix(lower.resolve("null"), "rdev")).isEqualTo((1L << 8) | 3);
    assertThat((Integer) unix(lower.resolve("sudo"), "mode") & 07777).isEqualTo(04755);
    assertThat(unix(lower.resolve("sudo"), "uid")).isEqualTo(7);
    assertThat(Files.getAttribute(lower.resolve("ping"), "user:note"))
        .isEqualTo("hello".getBytes(StandardCharsets.US_ASCII));
    assertThat(unix(lower.resolve("d/gone"), "rdev")).isEqualTo(0L);
    assertThat((Integer) unix(lower.resolve("d/gone"), "mode") & 0170000).isEqualTo(0020000);
    assertThat(lower.resolve("d/.wh.gone")).doesNotExist();
    assertThat((Integer) unix(lower.resolve("o"), "mode") & 07777).isEqualTo(01777);
    assertThat(attributesOf(lower.resolve("o"))).contains("trusted.overlay.opaque=\"y\"");
  }

  @Test
  void nothingInALayerLeadsOutOfItsDirectory() throws Exception {
    Path outside = Files.createDirectory(root.resolve("outside"));
    Files.writeString(outside.resolve("precious"), "untouched");
    String away = outside.toString();
    List<List<Member>> attacks =
        List.of(
            List.of(symlink("l", away), file("l/new", "x")),
            List.of(symlink("l", away), file("l/.wh.precious", "")),
            List.of(symlink("l", away), file("l/.wh..wh..opq", "")),
            List.of(symlink("l", "../../../outside"), file("l/precious", "x")),
            List.of(symlink("a", "."), symlink("a/l", away), file("l/precious", "x")),
            List.of(hardlink("h", away + "/precious"), file("h", "x")),
            List.of(file(away + "/absolute", "x")),
            List.of(file("../../../outside/up", "x")),
            List.of(file("d/../../../../outside/up", "x")));
    for (List<Member> attack : attacks) {
      tag("evil", image(layer(attack.toArray(Member[]::new))));
      try {
        assertThat(mounts.release(mounts.mount(REPOSITORY + ":evil", HOST).id())).isTrue();
      } catch (UnmountableException e) {
        assertThat(e).hasMessageContaining("cannot unpack");
      }
      assertThat(outside.resolve("precious")).as("%s", attack).hasContent("untouched");
      assertThat(entries(outside)).as("%s", attack).hasSize(1);
      assertThat(attributesOf(outside)).doesNotContain("overlay");
    }
  }

  private void refuses(Kind kind, String tag, Platform platform, String saying) {
    assertThatThrownBy(() -> mounts.mount(REPOSITORY + ":" + tag, platform))
        .isInstanceOfSatisfying(
            UnmountableException.class, e -> assertThat(e.kind()).isEqualTo(kind))
        .hasMessageContaining(saying);
  }

  private static List<Path> entries(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.toList();
    }
  }

  private static Object unix(Path file, String attribute) throws IOException {
    return Files.getAttribute(file, "unix:" + attribute, LinkOption.NOFOLLOW_LINKS);
  }

  private static String attributesOf(Path file) throws Exception {
    Process process =
        new ProcessBuilder("getfattr", "-d", "-m", "-", "--absolute-names", file.toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isZero();
    return said;
  }

  private record Member(TarArchiveEntry entry, String content) {
    @Override
    public String toString() {
      return entry.getName() + " -> " + entry.getLinkName();
    }
  }

  private static Member file(String name, String content) {
    TarArchiveEntry entry = new TarArchiveEntry(name, /* preserveAbsolutePath= */ true);
    entry.setSize(content.length());
    return new Member(entry, content);
  }

  private static Member directory(String name, int mode) {
    TarArchiveEntry entry = new TarArchiveEntry(name);
    entry.setMode(mode);
    return new Member(entry, "");
  }

  private static Member symlink(String name, String target) {
    TarArchiveEntry entry = new TarArchiveEntry(name, TarConstants.LF_SYMLINK);
    entry.setLinkName(target);
    return new Member(entry, "");
  }

  private static Member hardlink(String name, String target) {
    TarArchiveEntry entry = new TarArchiveEntry(name, TarConstants.LF_LINK);
    entry.setLinkName(target);
    return new Member(entry, "");
  }

  private Descriptor layer(Member... members) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar =
        new TarArchiveOutputStream(new GZIPOutputStream(bytes), 512, "UTF-8")) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
      for (Member member : members) {
        tar.putArchiveEntry(member.entry());
        tar.write(member.content().getBytes(StandardCharsets.UTF_8));
        tar.closeArchiveEntry();
      }
    }
    return blob(bytes.toByteArray());
  }

  private Descriptor blob(byte[] bytes) {
    return Descriptor.of(MediaTypes.OCI_LAYER_GZIP, registry.putBlob(bytes), bytes.length);
  }

  private ManifestBlob image(Descriptor... ofLayers) {
    return registry.putImage(List.of(ofLayers), Map.of());
  }

  private ManifestBlob tag(String tag, ManifestBlob image) {
    return registry.putManifest(image, tag);
  }

  private static Descriptor entry(ManifestBlob image, String platform) {
    return descriptor(image).withPlatform(Platforms.parse(platform));
  }

  private static Descriptor descriptor(ManifestBlob image) {
    return Descriptor.of(image.mediaType(), image.digest(), image.bytes().length);
  }

  /** An index of the image with a zTOC of this layer, which becomes lazy by it. */
  private LayerKey index(ManifestBlob image, Descriptor layer) {
    byte[] ztoc = ("zTOC of " + layer.digest()).getBytes(StandardCharsets.US_ASCII);
    registry.putIndex(
        SociIndex.v1(
            List.of(
                new LayerZtoc(
                    layer.digest(), layer.mediaType(), registry.putBlob(ztoc), ztoc.length, 1024)),
            descriptor(image)));
    layers.announce(layer.digest(), directory -> Files.writeString(directory.resolve("lazy"), ""));
    return new LayerKey(layer.digest(), Digest.of(ztoc));
  }
}
