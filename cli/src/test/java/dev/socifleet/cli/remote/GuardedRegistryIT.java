package dev.socifleet.cli.remote;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.cli.ContainerdWithImages;
import dev.socifleet.cli.RunSoci;
import dev.socifleet.cli.RunSoci.Ended;
import dev.socifleet.cli.remote.GuardedRegistry.Login;
import dev.socifleet.embedded.registry.SmallRegistry;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.testing.MadeImage;
import dev.socifleet.testing.OpenRegistries;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What commands need at a registry with an authority of its own, which wants to know its clients.
 */
@Timeout(600)
class GuardedRegistryIT {
  @TempDir static Path made;
  private static KeyFiles keys;

  @TempDir private Path directory;
  private SmallRegistry behind;
  private GuardedRegistry registry;
  private String reference;

  @BeforeAll
  static void makeKeys() throws Exception {
    keys = new KeyFiles(made);
  }

  @BeforeEach
  void start() throws Exception {
    behind = SmallRegistry.start(SmallRegistry.Options.in(directory.resolve("registry")));
    registry = GuardedRegistry.overTls(keys.context(), behind.host(), Login.TOKEN);
    Path layer = Files.createDirectories(directory.resolve("layer"));
    byte[] noise = new byte[200_000];
    new Random(5).nextBytes(noise);
    Files.write(layer.resolve("noise"), noise);
    Path upper = Files.createDirectories(directory.resolve("upper"));
    Files.writeString(upper.resolve("hello"), "hello\n");
    try (HttpRegistries open = OpenRegistries.at(behind.host())) {
      MadeImage.of(List.of(layer, upper), List.of("/hello"))
          .push(open.repository(RepositoryName.parse(behind.host() + "/app")), "1");
    }
    reference = registry.host() + "/app:1";
  }

  @AfterEach
  void stop() {
    registry.close();
    behind.close();
  }

  private static String file(String name) {
    return keys.file(name).toString();
  }

  /** Our certificate and its key. */
  private static List<String> ours() {
    return List.of("--tlscert", file("client.pem"), "--tlskey", file("client.key"));
  }

  private static List<String> trusted() {
    return List.of("--tlscacert", file("server.pem"));
  }

  private static List<String> refresh(String token) {
    return List.of("--refresh", token);
  }

  /** Every flag that there is for TLS, and a login. */
  private static List<String> everyFlag() {
    return flags(trusted(), ours(), List.of("--user", GuardedRegistry.USER));
  }

  @SafeVarargs
  private static List<String> flags(List<String>... some) {
    List<String> all = new ArrayList<>();
    for (List<String> one : some) {
      all.addAll(one);
    }
    return all;
  }

  private static Ended soci(List<String> flags, String image, String... command) {
    return RunSoci.soci(flags(List.of(command), flags, List.of(image)));
  }

  private Ended explain(List<String> flags) {
    return soci(flags, reference, "explain", "--platform", "linux/amd64");
  }

  /** Publishes an image's indexes, and looks whether they fit. */
  private static void assertPublishes(String image, List<String> flags) {
    Ended created = soci(flags, image, "index", "create", "--min-layer-size", "0");
    assertThat(created.failure()).isEmpty();
    assertThat(created.out()).contains("published v1 index", "published v2 image");
    assertFits(image, flags);
  }

  private static void assertFits(String image, List<String> flags) {
    Ended verified = soci(flags, image, "verify", "--platform", "linux/amd64");
    assertThat(verified.exit()).as(verified.out() + verified.err()).isZero();
  }

  private Path hostsToml(String text) throws Exception {
    Path root = directory.resolve("certs.d");
    Path host = Files.createDirectories(root.resolve(registry.host()));
    Files.writeString(host.resolve("hosts.toml"), text);
    return root;
  }

  /** A directory that knows who we are, and which authority to trust. */
  private Path described(String authority) throws Exception {
    return hostsToml(
        """
        server = "https://%s"
        ca = "%s"
        client = [["%s", "%s"]]
        """
            .formatted(registry.host(), file(authority), file("client.pem"), file("client.key")));
  }

  private static void assertFailed(Ended ended, String... words) {
    assertThat(ended.exit()).isEqualTo(1);
    assertThat(ended.failure()).contains(words).hasLineCount(1);
  }

  @Test
  void certificatesAndALoginAreGivenByFlags() {
    Ended ended = explain(flags(trusted(), ours(), refresh(GuardedRegistry.REFRESH)));

    assertThat(ended.failure()).isEmpty();
    assertThat(ended.out()).contains("no SOCI index");
  }

  @Test
  void theyAreDescribedInADirectoryToo() throws Exception {
    Path hosts = described("server.pem");

    Ended ended =
        explain(flags(List.of("--hosts-dir", hosts.toString()), refresh(GuardedRegistry.REFRESH)));

    assertThat(ended.failure()).isEmpty();
  }

  @Test
  void anAuthorityThatNobodyNamesIsNotTrustedUnlessTheCheckIsSkipped() {
    List<String> untold = flags(ours(), refresh(GuardedRegistry.REFRESH));
    assertFailed(explain(untold), "--tlscacert");

    assertThat(explain(flags(untold, List.of("-k"))).failure()).isEmpty();
  }

  @Test
  void withoutOurCertificateWeAreTurnedAway() {
    assertFailed(explain(flags(trusted(), refresh(GuardedRegistry.REFRESH))), registry.host());
    assertThat(explain(flags(trusted(), ours().subList(0, 2))).err()).contains("--tlskey");
  }

  @Test
  void aWrongRefreshTokenIsDenied() {
    assertFailed(explain(flags(trusted(), ours(), refresh("another"))), "401", "docker login");
  }

  private static Ended pull(ContainerdWithImages containerd, String image, List<String> flags) {
    List<String> command = List.of("rpull", "--snapshotter", "native", "--platform", "linux/amd64");
    return containerd.soci(flags(command, flags, List.of(image)).toArray(String[]::new));
  }

  @Test
  void anImageIsPulledWithTheSameFlags() throws Exception {
    try (ContainerdWithImages containerd = ContainerdWithImages.start(directory)) {
      List<String> flags = flags(trusted(), ours(), refresh(GuardedRegistry.REFRESH));

      assertThat(pull(containerd, reference, flags).failure()).isEmpty();

      assertThat(containerd.ctr("images", "ls", "-q")).isEqualTo(reference + "\n");
    }
  }

  @Test
  void indexesArePublishedWithEveryFlag() {
    assertPublishes(reference, everyFlag());
  }

  @Test
  void indexesArePushedWithEveryFlag() throws Exception {
    try (ContainerdWithImages containerd = ContainerdWithImages.start(directory)) {
      assertThat(pull(containerd, reference, everyFlag()).failure()).isEmpty();
      assertThat(containerd.soci("create", "--min-layer-size", "0", reference).failure()).isEmpty();

      List<String> push = flags(List.of("push"), everyFlag(), List.of(reference));
      Ended pushed = containerd.soci(push.toArray(String[]::new));

      assertThat(pushed.failure()).isEmpty();
      assertThat(pushed.out()).contains("successfully pushed artifact with digest: ");
      assertFits(reference, everyFlag());
    }
  }

  @Test
  void aFlagTakesThePlaceOfWhatTheDirectorySaysAndTheRestStays() throws Exception {
    // The directory knows who we are, and trusts nobody who answers.
    Path hosts = described("client.pem");
    List<String> flags =
        flags(List.of("--hosts-dir", hosts.toString()), refresh(GuardedRegistry.REFRESH));

    assertFailed(soci(flags, reference, "explain"), "--tlscacert");

    assertPublishes(reference, flags(flags, trusted()));
    assertThat(soci(flags(flags, List.of("--skip-verify")), reference, "explain").failure())
        .isEmpty();
  }

  @Test
  void aFileThatIsNotThereIsNamed() {
    for (String flag : List.of("--tlscacert", "--tlscert", "--tlskey")) {
      List<String> flags = new ArrayList<>(everyFlag());
      flags.set(flags.indexOf(flag) + 1, "/nowhere.pem");
      assertFailed(soci(flags, reference, "explain"), "cannot read /nowhere.pem");
    }
  }

  @Test
  void aPasswordIsGivenWhereTheRegistryWantsBasic() throws Exception {
    try (GuardedRegistry basic = GuardedRegistry.plain(behind.host(), Login.BASIC)) {
      String image = basic.host() + "/app:1";

      assertPublishes(image, List.of("-u", GuardedRegistry.USER));

      assertFailed(soci(List.of("-u", "user:wrong"), image, "explain"), "401", "--user");
      assertFailed(soci(List.of(), image, "explain"), "401", "--user");
      assertFailed(
          soci(List.of("-u", "user:wrong"), image, "index", "create"), "401", "docker login");
      Ended unasked = soci(List.of("-u", "user"), image, "explain");
      assertThat(unasked.exit()).isEqualTo(2);
      assertThat(unasked.failure()).contains("needs a password").hasLineCount(1);
    }
  }

  @Test
  void tokensMayExpireWhileTheyAreUsed() throws Exception {
    try (GuardedRegistry shortLived = GuardedRegistry.plain(behind.host(), Login.TOKEN)) {
      shortLived.outliveTokens();

      Ended created =
          soci(
              List.of("--user", GuardedRegistry.USER),
              shortLived.host() + "/app:1",
              "index",
              "create",
              "--min-layer-size",
              "0");

      assertThat(created.failure()).isEmpty();
      assertThat(created.out()).contains("published v2 image");
      assertThat(shortLived.endedTokens()).as("requests with a token that had ended").isPositive();
      assertThat(shortLived.tokens()).isGreaterThan(2);
    }
  }

  @Test
  void aMirrorMayDieInTheMiddleOfALayer() throws Exception {
    try (DyingMirror mirror = new DyingMirror(behind.host())) {
      Path hosts =
          hostsToml(
              """
              server = "https://%s"
              [host."%s"]
                capabilities = ["pull", "resolve"]
              """
                  .formatted(registry.host(), mirror.url()));

      assertPublishes(reference, flags(everyFlag(), List.of("--hosts-dir", hosts.toString())));

      assertThat(mirror.isDead()).isTrue();
    }
  }

  @Test
  void aRegistryWithoutTlsIsReachedWhereTheFlagSaysSo() {
    // This machine by a name that isn't known to be one of its own.
    String image = "[::ffff:7f00:1]:" + behind.port() + "/app:1";

    assertFailed(soci(List.of(), image, "explain"), "--plain-http");
    assertPublishes(image, List.of("--plain-http"));
  }

  @Test
  void whatTheExistingToolIgnoresIsTaken() {
    List<String> flags = flags(everyFlag(), List.of("--http-dump", "--http-trace"));

    assertThat(soci(flags, reference, "explain").failure()).isEmpty();
  }
}
