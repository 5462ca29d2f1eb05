package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.socifleet.oci.WireServer.Ending;
import dev.socifleet.oci.WireServer.Reply;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Uploads in one and in many requests, over connections that break. */
class BlobUploadIT extends RegistryFixture {
  private static final byte[] SMALL = random(100_000, 1);

  /** More than two chunks. */
  private static final byte[] LARGE = random(40 << 20, 2);

  @AfterEach
  void leavesNoUploadOpen() {
    assertThat(registry.openUploads()).isZero();
  }

  private void upload(byte[] bytes) throws RegistryException {
    repository.putBlob(Digest.of(bytes), bytes.length, BlobContent.of(bytes));
  }

  private void assertThere(byte[] bytes) {
    assertThat(registry.blob("team/app", Digest.of(bytes))).isEqualTo(bytes);
  }

  @Test
  void aSmallBlobIsOnePost() throws Exception {
    upload(SMALL);

    assertThere(SMALL);
    assertThat(registry.server().calls())
        .extracting(WireServer.Call::method)
        .containsExactly("HEAD", "POST", "PUT");
  }

  @Test
  void anEmptyBlobIsUploaded() throws Exception {
    upload(new byte[0]);

    assertThere(new byte[0]);
  }

  @Test
  void aBlobThatIsThereIsNotUploaded() throws Exception {
    registry.addBlob("team/app", SMALL);

    repository.putBlob(
        Digest.of(SMALL),
        SMALL.length,
        () -> {
          throw new IOException("nobody wanted to read");
        });

    assertThat(registry.server().calls()).hasSize(1);
  }

  @Test
  void aLargeBlobGoesInChunks() throws Exception {
    upload(LARGE);

    assertThere(LARGE);
    assertThat(registry.server().calls("PATCH", "")).hasSize(2);
  }

  @Test
  void chunksAreAsLargeAsTheRegistryWants() throws Exception {
    registry.leastChunk = 20 << 20;

    upload(LARGE);

    assertThere(LARGE);
    assertThat(registry.server().calls("PATCH", ""))
        .extracting(call -> call.body().length)
        .containsExactly(20 << 20);
  }

  @Test
  void aRegistryWithoutChunksGetsALargeBlobInOneRequest() throws Exception {
    registry.chunks = false;

    upload(LARGE);

    assertThere(LARGE);
    assertThat(registry.server().calls("PUT", ""))
        .extracting(call -> call.body().length)
        .containsExactly(LARGE.length);
  }

  @Test
  void nothingInPlaceOfABlobIsNotCommitted() {
    Digest other = Digest.of(utf8("other"));

    assertThatThrownBy(() -> repository.putBlob(other, 0, BlobContent.of(new byte[0])))
        .isInstanceOf(RegistryException.class)
        .hasMessageContaining("another digest");
    assertThat(registry.server().calls("PUT", "")).isEmpty();
  }

  @Test
  void otherBytesInOneRequestAreNotCommitted() {
    registry.chunks = false;
    Digest other = Digest.of(utf8("other"));

    assertThatThrownBy(() -> repository.putBlob(other, LARGE.length, BlobContent.of(LARGE)))
        .isInstanceOf(RegistryException.class)
        .hasMessageContaining("another digest");
    assertThat(registry.blob("team/app", other)).isNull();
    assertThat(registry.blob("team/app", Digest.of(LARGE))).isNull();
  }

  @Test
  void anUploadGoesOnAtAnAbsoluteAddress() throws Exception {
    registry.absoluteLocations = true;

    upload(LARGE);

    assertThere(LARGE);
  }

  @Test
  void anUploadAddressOnAnotherHostIsRefused() {
    registry.disturb(
        1,
        call -> call.method().equals("POST"),
        (call, real) -> Reply.of(202).with("Location", "http://elsewhere.invalid/v2/x?_state=0"));

    assertThatThrownBy(() -> upload(SMALL))
        .isInstanceOf(RegistryException.class)
        .hasMessageContaining("no upload address on its own host");
  }

  @Test
  void aConnectionThatBreaksDoesNotHurtAnUpload() throws Exception {
    for (String method : new String[] {"PATCH", "PUT"}) {
      registry.disturb(
          1,
          call -> call.method().equals(method),
          (call, real) -> Reply.of(202).ending(new Ending.Dropped()));
    }

    upload(LARGE);

    assertThere(LARGE);
  }

  @Test
  void aChunkOfWhichOnlyTheAnswerWasLostIsNotSentTwice() throws Exception {
    registry.disturb(
        1,
        call -> call.method().equals("PATCH"),
        (call, real) -> {
          var _ = real.get();
          return Reply.of(202).ending(new Ending.Dropped());
        });

    upload(LARGE);

    assertThere(LARGE);
    assertThat(registry.server().calls("POST", "")).hasSize(1);
    assertThat(registry.server().calls("PATCH", "")).hasSize(2);
  }

  @Test
  void anUploadWhoseLastAnswerWasLostIsDone() throws Exception {
    registry.disturb(
        1,
        call -> call.method().equals("PUT"),
        (call, real) -> {
          var _ = real.get();
          return Reply.of(503);
        });

    upload(SMALL);

    assertThere(SMALL);
    assertThat(registry.server().calls("POST", "")).hasSize(1);
  }

  @Test
  void anUploadThatTheRegistryForgotIsBegunAnew() throws Exception {
    registry.disturb(
        1,
        call -> call.method().equals("PATCH"),
        (call, real) -> Reply.error(404, "BLOB_UPLOAD_UNKNOWN", "restarted"));

    upload(LARGE);

    assertThere(LARGE);
  }

  @Test
  void bytesOfAnotherDigestAreNotCommitted() {
    Digest other = Digest.of(utf8("other"));

    RegistryException failure =
        catchThrowableOfType(
            RegistryException.class,
            () -> repository.putBlob(other, SMALL.length, BlobContent.of(SMALL)));

    assertThat(failure.temporary()).isFalse();
    assertThat(failure).hasMessageContaining("another digest");
    assertThat(registry.server().calls("PUT", "")).isEmpty();
  }

  @Test
  void bytesThatEndEarlyAreNotCommitted() {
    assertThatThrownBy(() ->
            repository.putBlob(
                Digest.of(LARGE), LARGE.length, () -> new ByteArrayInputStream(SMALL)))
        .hasMessageContaining("end after 100000 of 41943040");
  }

  @Test
  void bytesThatCannotBeReadAreOurOwnFailure() {
    assertThatThrownBy(() ->
            repository.putBlob(
                Digest.of(SMALL),
                SMALL.length,
                () -> {
                  throw new IOException("disk on fire");
                }))
        .isInstanceOf(RegistryException.class)
        .hasMessageContaining("disk on fire");
  }

  @Test
  void aRefusedUploadSaysWhy() {
    registry.disturb(
        1,
        call -> call.method().equals("PUT"),
        (call, real) -> {
          var _ = real.get();
          return Reply.error(403, "DENIED", "quota exceeded");
        });

    assertThatThrownBy(() -> upload(SMALL)).hasMessageContaining("403: DENIED: quota exceeded");
  }

  @Test
  void aBlobIsTakenOverFromAnotherRepository() throws Exception {
    Digest blob = registry.addBlob("base/image", SMALL);

    assertThat(repository.mountBlob(blob, registry.repository("base/image"))).isTrue();

    assertThere(SMALL);
  }

  @Test
  void aBlobThatCannotBeTakenOverHasToBeUploaded() throws Exception {
    Digest blob = registry.addBlob("base/image", SMALL);
    registry.mounts = false;

    assertThat(repository.mountBlob(blob, registry.repository("base/image"))).isFalse();
    assertThat(repository.mountBlob(Digest.of(LARGE), registry.repository("base/image"))).isFalse();
    assertThat(repository.mountBlob(blob, new RepositoryName("other.example", "base/image")))
        .isFalse();
    registry.disturb(
        1, call -> true, (call, real) -> Reply.error(405, "UNSUPPORTED", "no mounts here"));
    assertThat(repository.mountBlob(blob, registry.repository("base/image"))).isFalse();
  }

  @Test
  void aMountBringsATokenForBothRepositories() throws Exception {
    registry.auth = StrictRegistry.Auth.TOKEN;
    use(TokenServer.USER);
    Digest blob = registry.addBlob("base/image", SMALL);

    assertThat(repository.mountBlob(blob, registry.repository("base/image"))).isTrue();
  }
}
