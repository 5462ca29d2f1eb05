package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.socifleet.oci.StrictRegistry.Auth;
import dev.socifleet.oci.WireServer.Ending;
import dev.socifleet.oci.WireServer.Reply;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Mirrors of hosts.toml: asked first, never trusted more than the registry, free to die. */
class MirrorsIT extends RegistryFixture {
  private static final byte[] INDEX =
      OciJson.write(new ImageIndex(MediaTypes.OCI_INDEX, "", List.of(), null, Map.of()));

  @TempDir Path hosts;
  private final byte[] bytes = random(1 << 20, 5);
  private StrictRegistry mirror;
  private Digest blob;

  @BeforeEach
  void startMirror() throws Exception {
    mirror = new StrictRegistry();
    blob = mirror.addBlob("team/app", bytes);
    registry.addBlob("team/app", bytes);
    configure("");
    reopen(Credentials.NONE);
  }

  private void configure(String more) throws IOException {
    Path directory = Files.createDirectories(hosts.resolve(registry.server().host()));
    Files.writeString(
        directory.resolve("hosts.toml"), "[host.\"" + mirror.server().url() + "\"]\n" + more);
  }

  private void reopen(Credentials credentials) throws RegistryException {
    client.close();
    client =
        HttpRegistries.open(
            new RegistriesConfig(
                List.of(RegistryHost.of(registry.server().host())),
                credentials,
                AGENT,
                Timeouts.STANDARD,
                new HostsDirectory(List.of(hosts))));
    repository = client.repository(registry.repository("team/app"));
  }

  @AfterEach
  void closeMirror() {
    mirror.close();
    assertThat(mirror.server().failures()).isEmpty();
  }

  private byte[] read() throws IOException {
    try (InputStream in = repository.openBlob(blob)) {
      return in.readAllBytes();
    }
  }

  @Test
  void aMirrorIsAskedFirstAndToldWhoseRepositoryIsMeant() throws Exception {
    assertThat(read()).isEqualTo(bytes);

    assertThat(registry.server().calls()).isEmpty();
    assertThat(mirror.server().calls().getFirst().query())
        .containsEntry("ns", registry.server().host());
  }

  @Test
  void whatAMirrorDoesNotHaveComesFromTheRegistry() throws Exception {
    byte[] other = random(1000, 6);
    blob = registry.addBlob("team/app", other);
    registry.addManifest("team/app", "v1", MediaTypes.OCI_INDEX, INDEX);

    assertThat(read()).isEqualTo(other);
    assertThat(repository.blobSize(blob)).hasValue(1000);
    assertThat(repository.headManifest("v1")).isPresent();
    assertThat(repository.manifest("v1")).isPresent();
    assertThat(repository.manifest("v2")).isEmpty();
    assertThat(mirror.server().calls()).hasSize(5);
  }

  @Test
  void aMirrorThatFailsIsPassedOverAndThenLeftAlone() throws Exception {
    mirror.disturb(1, call -> true, (call, real) -> Reply.of(503));

    assertThat(read()).isEqualTo(bytes);
    assertThat(read()).isEqualTo(bytes);

    assertThat(mirror.server().calls()).hasSize(1);
    assertThat(registry.server().calls()).hasSize(2);
  }

  @Test
  void aMirrorThatDiesInTheMiddleOfABlobIsReplacedByTheRegistry() throws Exception {
    mirror.disturb(
        1, call -> true, (call, real) -> real.get().ending(new Ending.Cut(BlobReadIT.FAR)));

    try (InputStream in = repository.openBlob(blob)) {
      byte[] begin = in.readNBytes(1000);
      mirror.close();
      assertThat(begin).isEqualTo(Arrays.copyOf(bytes, 1000));
      assertThat(in.readAllBytes()).isEqualTo(Arrays.copyOfRange(bytes, 1000, bytes.length));
    }

    assertThat(registry.server().calls("GET", "/blobs/").getFirst().header("Range").orElse(""))
        .endsWith("-1048575");
  }

  @Test
  void aMirrorThatIsGoneCostsNothingButTheAttempt() throws Exception {
    mirror.close();

    for (int i = 0; i < 5; i++) {
      assertThat(read()).isEqualTo(bytes);
    }
  }

  @Test
  void aMirrorThatWasDownIsAskedWhereTheRegistryIsDownToo() throws Exception {
    mirror.disturb(1, call -> true, (call, real) -> Reply.of(503));
    assertThat(read()).isEqualTo(bytes);
    registry.server().close();

    assertThat(read()).isEqualTo(bytes);
  }

  @Test
  void theRegistrysFailureIsWhatIsSaid() {
    mirror.disturb(100, call -> true, (call, real) -> Reply.error(403, "DENIED", "mirror says"));
    registry.disturb(
        100, call -> true, (call, real) -> Reply.error(403, "DENIED", "registry says"));

    RegistryException failure = catchThrowableOfType(RegistryException.class, this::read);

    assertThat(failure).hasMessageContaining("registry says");
  }

  @Test
  void otherBytesOfAMirrorAreNotFinal() throws Exception {
    mirror.disturb(100, call -> true, (call, real) -> real.get().with(random(1 << 20, 9)));

    RegistryException failure = catchThrowableOfType(RegistryException.class, this::read);

    assertThat(failure.temporary()).isTrue();
    assertThat(read()).isEqualTo(bytes); // the next attempt
  }

  @Test
  void aMirrorIsAskedOnlyForWhatItIsGoodFor() throws Exception {
    configure("capabilities = [\"pull\"]\n");
    reopen(Credentials.NONE);
    registry.addManifest("team/app", "v1", MediaTypes.OCI_INDEX, INDEX);
    mirror.addManifest("team/app", "v1", MediaTypes.OCI_INDEX, INDEX);

    repository.manifest("v1");
    assertThat(mirror.server().calls()).isEmpty();
    repository.manifest(Digest.of(INDEX).toString());
    assertThat(mirror.server().calls()).hasSize(1);
  }

  @Test
  void everythingThatChangesTheRepositoryGoesToTheRegistry() throws Exception {
    byte[] fresh = utf8("fresh");
    mirror.addBlob("team/app", fresh); // the mirror's having it says nothing of the registry

    repository.putBlob(Digest.of(fresh), fresh.length, BlobContent.of(fresh));
    repository.putManifest("v1", MediaTypes.OCI_INDEX, INDEX);
    repository.tags();
    repository.deleteManifest("v1");

    assertThat(registry.blob("team/app", Digest.of(fresh))).isEqualTo(fresh);
    assertThat(mirror.server().calls()).isEmpty();
  }

  @Test
  void referrersThatAMirrorDoesNotKnowComeFromTheRegistry() throws Exception {
    ManifestBlob image = image(0, null);
    registry.addManifest("team/app", "v1", image.mediaType(), image.bytes());
    repository.putReferrer(image.digest(), image(1, descriptor(image)));

    assertThat(repository.referrers(image.digest(), null)).hasSize(1);
    assertThat(mirror.server().calls("GET", "/referrers/")).hasSize(1);
  }

  @Test
  void everyPageOfAMirrorIsToldWhoseRepositoryIsMeant() throws Exception {
    ManifestBlob image = image(0, null);
    mirror.pageSize = 1;
    for (int i = 1; i <= 3; i++) {
      ManifestBlob referrer = image(i, descriptor(image));
      mirror.addManifest(
          "team/app", referrer.digest().toString(), referrer.mediaType(), referrer.bytes());
    }

    assertThat(repository.referrers(image.digest(), null)).hasSize(3);

    assertThat(mirror.server().calls("GET", "/referrers/"))
        .hasSize(3)
        .allMatch(call -> registry.server().host().equals(call.query().get("ns")));
  }

  @Test
  void aMirrorNeverGetsTheRegistrysPassword() throws Exception {
    registry.auth = Auth.BASIC;
    mirror.auth = Auth.BASIC;
    AtomicInteger asked = new AtomicInteger();
    reopen(repository -> {
      asked.incrementAndGet();
      return repository.registry().equals(registry.server().host())
          ? new Credential.Basic("user", "secret")
          : new Credential.Anonymous();
    });

    assertThat(read()).isEqualTo(bytes);

    assertThat(mirror.server().calls())
        .hasSize(1)
        .allMatch(call -> call.header("Authorization").isEmpty());
    assertThat(registry.server().calls()).isNotEmpty();
  }

  @Test
  void aMirrorGetsTheCredentialThatIsForIt() throws Exception {
    mirror.auth = Auth.TOKEN;
    reopen(repository ->
        repository.registry().equals(mirror.server().host())
            ? TokenServer.USER
            : new Credential.Basic("somebody", "else"));

    assertThat(read()).isEqualTo(bytes);
    assertThat(registry.server().calls()).isEmpty();
  }

  @Test
  void aCallersCredentialIsAskedOfTheRegistryOnly() throws Exception {
    registry.auth = Auth.BASIC;
    Repository callers =
        client.repository(
            registry.repository("team/app"), new Credential.Authorization("Basic d3Jvbmc="));

    RegistryException failure =
        catchThrowableOfType(RegistryException.class, () -> callers.blobSize(blob));

    assertThat(failure.denied()).isTrue();
    assertThat(mirror.server().calls()).isEmpty();
  }

  @Test
  void headersGoToTheirHostAndNotToWhereItSendsUs() throws Exception {
    configure("[host.\"" + mirror.server().url() + "\".header]\nX-Fleet = \"f\"\n");
    reopen(Credentials.NONE);
    mirror.disturb(
        1,
        call -> true,
        (call, real) ->
            Reply.of(307).with("Location", registry.server().url() + "/v2/team/app/blobs/" + blob));

    assertThat(read()).isEqualTo(bytes);

    assertThat(mirror.server().calls().getFirst().header("X-Fleet")).hasValue("f");
    assertThat(registry.server().calls().getFirst().header("X-Fleet")).isEmpty();
  }

  @Test
  void aChangedFileTakesEffectAtOnce() throws Exception {
    Files.writeString(hosts.resolve(registry.server().host()).resolve("hosts.toml"), "\n");

    repository = client.repository(registry.repository("team/app"));

    assertThat(read()).isEqualTo(bytes);
    assertThat(mirror.server().calls()).isEmpty();
  }
}
