package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.socifleet.oci.WireServer.Reply;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Manifests and lists of tags. */
class ManifestIT extends RegistryFixture {
  private static final byte[] INDEX =
      OciJson.write(new ImageIndex(MediaTypes.OCI_INDEX, "", List.of(), null, java.util.Map.of()));

  @Test
  void whatIsPushedIsPulledByTagAndDigest() throws Exception {
    ManifestBlob image = image(1, null);

    assertThat(repository.putManifest("v1", image.mediaType(), image.bytes())).isFalse();

    for (String reference : List.of("v1", image.digest().toString())) {
      ManifestBlob found = repository.manifest(reference).orElseThrow();
      assertThat(found.bytes()).isEqualTo(image.bytes());
      assertThat(found.mediaType()).isEqualTo(MediaTypes.OCI_MANIFEST);
      assertThat(found.digest()).isEqualTo(image.digest());
      assertThat(repository.headManifest(reference)).hasValue(descriptor(image));
    }
  }

  @Test
  void aManifestThatIsNotThereIsEmpty() throws Exception {
    assertThat(repository.manifest("v1")).isEmpty();
    assertThat(repository.headManifest("v1")).isEmpty();
    assertThat(repository.deleteManifest("v1")).isFalse();
  }

  @Test
  void aManifestIsDeleted() throws Exception {
    registry.addManifest("team/app", "v1", MediaTypes.OCI_INDEX, INDEX);

    assertThat(repository.deleteManifest("v1")).isTrue();
    assertThat(repository.manifest("v1")).isEmpty();
  }

  @Test
  void aHeadThatSaysTooLittleCostsAGet() throws Exception {
    registry.addManifest("team/app", "v1", MediaTypes.OCI_INDEX, INDEX);
    registry.disturb(
        1,
        call -> call.method().equals("HEAD"),
        (call, real) -> Reply.of(200, "text/plain", INDEX));

    Descriptor found = repository.headManifest("v1").orElseThrow();

    assertThat(found)
        .isEqualTo(Descriptor.of(MediaTypes.OCI_INDEX, Digest.of(INDEX), INDEX.length));
  }

  @Test
  void aHeadThatNamesAnotherDigestThanAskedForIsRefused() {
    registry.addManifest("team/app", "v1", MediaTypes.OCI_INDEX, INDEX);
    registry.disturb(
        1,
        call -> true,
        (call, real) ->
            real.get().with("Docker-Content-Digest", Digest.of(utf8("other")).toString()));

    assertThatThrownBy(() -> repository.headManifest(Digest.of(INDEX).toString()))
        .hasMessageContaining("found another one");
  }

  @Test
  void aDigestThatIsNoneIsRefused() {
    registry.addManifest("team/app", "v1", MediaTypes.OCI_INDEX, INDEX);
    registry.disturb(
        1, call -> true, (call, real) -> real.get().with("Docker-Content-Digest", "sha256:zz"));

    assertThatThrownBy(() -> repository.headManifest("v1"))
        .isInstanceOf(RegistryException.class)
        .hasMessageContaining("sha256");
  }

  @Test
  void otherBytesThanTheDigestSaysAreRefused() {
    registry.addManifest("team/app", "v1", MediaTypes.OCI_INDEX, INDEX);
    registry.disturb(1, call -> true, (call, real) -> real.get().with(utf8("{}")));

    RegistryException failure =
        catchThrowableOfType(
            RegistryException.class, () -> repository.manifest(Digest.of(INDEX).toString()));

    assertThat(failure.temporary()).isFalse();
    assertThat(failure).hasMessageContaining("sent other bytes");
  }

  @Test
  void aManifestThatIsTooLargeIsRefused() {
    registry.addManifest(
        "team/app", "v1", MediaTypes.OCI_INDEX, new byte[OciJson.LARGEST_MANIFEST + 1]);

    assertThatThrownBy(() -> repository.manifest("v1"))
        .isInstanceOf(RegistryException.class)
        .hasMessageContaining("larger than 4194304 bytes");
  }

  @Test
  void aMediaTypeThatIsMissingIsReadFromTheManifest() throws Exception {
    registry.disturb(1, call -> true, (call, real) -> Reply.of(200, "application/json", INDEX));

    assertThat(repository.manifest("v1").orElseThrow().mediaType()).isEqualTo(MediaTypes.OCI_INDEX);
  }

  @Test
  void whatIsNotJsonIsRefused() {
    for (String body : List.of("", "<html>", "[]", "{\"mediaType\":7}", "{}{}", "{\"a\":")) {
      registry.disturb(1, call -> true, (call, real) -> Reply.of(200, "text/html", utf8(body)));

      RegistryException failure =
          catchThrowableOfType(RegistryException.class, () -> repository.manifest("v1"));

      assertThat(failure).as(body).isNotNull();
      assertThat(failure.temporary()).isFalse();
    }
  }

  @Test
  void nothingButATagOrDigestBecomesPartOfAnAddress() {
    for (String reference :
        List.of("", "a/../b", "a?b", "a b", "sha256:12", "-a", "a#b", "a%2fb")) {
      assertThatThrownBy(() -> repository.manifest(reference))
          .as(reference)
          .isInstanceOf(RegistryException.class);
    }
    assertThat(registry.server().calls()).isEmpty();
  }

  @Test
  void aManifestWhoseBlobsAreMissingIsRefusedWithTheRegistrysCode() {
    ManifestBlob image = image(1, null);
    Repository other;
    try {
      other = client.repository(registry.repository("team/other"));
    } catch (RegistryException e) {
      throw new AssertionError(e);
    }

    RegistryException failure =
        catchThrowableOfType(
            RegistryException.class,
            () -> other.putManifest("v1", image.mediaType(), image.bytes()));

    assertThat(failure.codes()).containsExactly("MANIFEST_BLOB_UNKNOWN");
  }

  @Test
  void tagsAreListedOverAllPages() throws Exception {
    registry.pageSize = 7;
    List<String> tags = new ArrayList<>();
    for (int i = 100; i < 130; i++) {
      registry.addManifest("team/app", "v" + i, MediaTypes.OCI_INDEX, INDEX);
      tags.add("v" + i);
    }

    assertThat(repository.tags()).containsExactlyElementsOf(tags);
    assertThat(registry.server().calls("GET", "/tags/list")).hasSize(5);
  }

  @Test
  void aRepositoryThatIsNotThereHasNoTags() throws Exception {
    registry.disturb(
        1, call -> true, (call, real) -> Reply.error(404, "NAME_UNKNOWN", "no such repository"));

    assertThat(repository.tags()).isEmpty();
    assertThat(repository.tags()).isEmpty();
  }

  @Test
  void aListingInCirclesIsRefused() {
    registry.addManifest("team/app", "v1", MediaTypes.OCI_INDEX, INDEX);
    registry.disturb(
        100,
        call -> true,
        (call, real) -> real.get().with("Link", "</v2/team/app/tags/list?last=a>; rel=\"next\""));

    assertThatThrownBy(() -> repository.tags())
        .isInstanceOf(RegistryException.class)
        .hasMessageContaining("no end");
    assertThat(registry.server().calls()).hasSize(2);
  }

  @Test
  void aLinkElsewhereIsFollowedOnlyWithinTheListing() throws Exception {
    registry.addManifest("team/app", "v1", MediaTypes.OCI_INDEX, INDEX);
    registry.disturb(
        1,
        call -> true,
        (call, real) ->
            real.get().with("Link", "<http://elsewhere.invalid/steal?last=v0>; rel=\"next\""));

    assertThat(repository.tags()).containsExactly("v1", "v1");
    assertThat(registry.server().calls("GET", "/v2/team/app/tags/list")).hasSize(2);
  }

  @Test
  void aLinkThatIsNoneEndsTheListing() throws Exception {
    registry.addManifest("team/app", "v1", MediaTypes.OCI_INDEX, INDEX);
    for (String link : List.of("", "<", "next", "<a>; rel=prev", "<a?b>", "<a>; rel=next")) {
      registry.disturb(1, call -> true, (call, real) -> real.get().with("Link", link));

      assertThat(repository.tags()).as(link).containsExactly("v1");
    }
  }

  @Test
  void tagsThatAreNoneAreRefused() {
    for (String list : List.of("{\"tags\":[\"../x\"]}", "{\"tags\":[7]}", "{\"tags\":", "[]")) {
      registry.disturb(1, call -> true, (call, real) -> Reply.of(200).with(utf8(list)));

      assertThatThrownBy(() -> repository.tags()).as(list).isInstanceOf(RegistryException.class);
    }
  }
}
