package dev.socifleet.embedded.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.embedded.registry.RawClient.Answer;
import dev.socifleet.embedded.registry.SmallRegistry.Options;
import dev.socifleet.oci.Digest;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Blobs and uploads, request by request (distribution specification 1.1). */
class BlobProtocolIT {
  private static final String UPLOADS = "/v2/team/app/blobs/uploads/";
  private static final byte[] NONE = new byte[0];

  @TempDir Path directory;
  private SmallRegistry registry;
  private RawClient client;
  private final byte[] blob = new byte[1000];
  private final Digest digest = digestOf(blob);

  private static Digest digestOf(byte[] bytes) {
    new Random(7).nextBytes(bytes);
    return Digest.of(bytes);
  }

  @BeforeEach
  void start() throws Exception {
    registry = SmallRegistry.start(Options.in(directory));
    client = new RawClient(registry);
  }

  @AfterEach
  void stop() {
    client.close();
    registry.close();
  }

  private String begin() throws Exception {
    return client.send("POST", UPLOADS, NONE).is(202).header("Location");
  }

  private static byte[] part(byte[] bytes, int from, int to) {
    return Arrays.copyOfRange(bytes, from, to);
  }

  @Test
  void thePingNamesTheApi() throws Exception {
    for (String path : List.of("/v2/", "/v2")) {
      Answer answer = client.get(path).is(200);
      assertThat(answer.header("Docker-Distribution-API-Version")).isEqualTo("registry/2.0");
    }
  }

  @Test
  void aBlobIsUploadedInOneRequest() throws Exception {
    Answer answer = client.send("POST", UPLOADS + "?digest=" + digest, blob).is(201);
    assertThat(answer.header("Location")).isEqualTo("/v2/team/app/blobs/" + digest);
    assertThat(client.get(answer.header("Location")).is(200).body()).isEqualTo(blob);
  }

  @Test
  void aBlobIsUploadedByPostAndPut() throws Exception {
    client.send("PUT", begin() + "?digest=" + digest, blob).is(201);
    assertThat(client.get("/v2/team/app/blobs/" + digest).is(200).body()).isEqualTo(blob);
  }

  @Test
  void aBlobIsUploadedInChunks() throws Exception {
    Answer opened = client.send("POST", UPLOADS, NONE).is(202);
    assertThat(opened.header("Range")).isEqualTo("0-0");
    assertThat(opened.header("Docker-Upload-UUID")).isNotEmpty();
    String session = opened.header("Location");
    Answer first =
        client.send("PATCH", session, part(blob, 0, 600), "Content-Range", "0-599").is(202);
    assertThat(first.header("Range")).isEqualTo("0-599");
    Answer status = client.get(first.header("Location")).is(204);
    assertThat(status.header("Range")).isEqualTo("0-599");
    // The last chunk comes with the PUT, and without a Content-Range.
    client.send("PUT", session + "?digest=" + digest, part(blob, 600, 1000)).is(201);
    assertThat(client.get("/v2/team/app/blobs/" + digest).is(200).body()).isEqualTo(blob);
  }

  @Test
  void anEmptyBlobIsABlob() throws Exception {
    Digest empty = Digest.of(NONE);
    client.send("PUT", begin() + "?digest=" + empty, NONE).is(201);
    assertThat(client.get("/v2/team/app/blobs/" + empty).is(200).body()).isEmpty();
    client.get("/v2/team/app/blobs/" + empty, "Range", "bytes=0-0").is(416);
  }

  @Test
  void aChunkOutOfOrderIsRefusedWithWhereToGoOn() throws Exception {
    String session = begin();
    client.send("PATCH", session, part(blob, 0, 100), "Content-Range", "0-99").is(202);
    for (String range : List.of("200-299", "0-99", "99-198", "words")) {
      Answer refused =
          client.send("PATCH", session, part(blob, 200, 300), "Content-Range", range).is(416);
      assertThat(refused.header("Range")).isEqualTo("0-99");
      assertThat(refused.header("Location")).isEqualTo(session);
    }
    assertThat(client.get(session).is(204).header("Range")).isEqualTo("0-99");
  }

  @Test
  void bytesOfAnotherDigestAreRefusedAndForgotten() throws Exception {
    String session = begin();
    Digest other = Digest.of("other".getBytes(StandardCharsets.UTF_8));
    Answer refused = client.send("PUT", session + "?digest=" + other, blob).is(400);
    assertThat(refused.code()).isEqualTo("DIGEST_INVALID");
    assertThat(client.get("/v2/team/app/blobs/" + other).is(404).code()).isEqualTo("BLOB_UNKNOWN");
    assertThat(client.get(session).is(404).code()).isEqualTo("BLOB_UPLOAD_UNKNOWN");
    assertThat(client.send("PUT", begin(), blob).is(400).code()).isEqualTo("DIGEST_INVALID");
  }

  @Test
  void aDigestMayBeSha512() throws Exception {
    var sha512 = java.security.MessageDigest.getInstance("SHA-512");
    String name = "sha512:" + HexFormat.of().formatHex(sha512.digest(blob));
    client.send("PUT", begin() + "?digest=" + name, blob).is(201);
    assertThat(client.get("/v2/team/app/blobs/" + name).is(200).body()).isEqualTo(blob);
  }

  @Test
  void aCancelledUploadIsGone() throws Exception {
    String session = begin();
    client.send("PATCH", session, blob).is(202);
    client.send("DELETE", session, NONE).is(204);
    assertThat(client.get(session).is(404).code()).isEqualTo("BLOB_UPLOAD_UNKNOWN");
    client.send("PUT", session + "?digest=" + digest, NONE).is(404);
    assertThat(files("uploads")).isZero();
  }

  @Test
  void anUploadBelongsToItsRepository() throws Exception {
    String stolen = begin().replace("team/app", "team/other");
    client.send("PUT", stolen + "?digest=" + digest, blob).is(404);
    client.send("PATCH", UPLOADS + "..%2F..%2Flock", blob).is(404);
  }

  @Test
  void anUploadGoesOnAfterARestart() throws Exception {
    String session = begin();
    client.send("PATCH", session, part(blob, 0, 400), "Content-Range", "0-399").is(202);
    stop();
    start();
    assertThat(client.get(session).is(204).header("Range")).isEqualTo("0-399");
    client.send("PUT", session + "?digest=" + digest, part(blob, 400, 1000)).is(201);
    assertThat(client.get("/v2/team/app/blobs/" + digest).is(200).body()).isEqualTo(blob);
  }

  @Test
  void whatCameBeforeABrokenConnectionStays() throws Exception {
    String session = begin();
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), registry.port())) {
      OutputStream out = socket.getOutputStream();
      String head =
          "PATCH "
              + session
              + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
              + "Content-Range: 0-999\r\n\r\n";
      out.write(head.getBytes(StandardCharsets.UTF_8));
      out.write(blob, 0, 300);
    }
    while (!client.get(session).is(204).header("Range").equals("0-299")) {
      Thread.onSpinWait();
    }
    client
        .send(
            "PUT", session + "?digest=" + digest, part(blob, 300, 1000), "Content-Range", "300-999")
        .is(201);
  }

  @Test
  void anUploadThatNobodyContinuesIsDeleted() throws Exception {
    client.send("PATCH", begin(), blob).is(202);
    Layout layout = layoutOfACopy();
    Uploads uploads = new Uploads(layout, new ContentStore(layout));
    uploads.expire(Instant.now().plus(Uploads.LIFE).minusSeconds(60));
    assertThat(names(layout.uploads())).hasSize(1);
    uploads.expire(Instant.now().plus(Uploads.LIFE).plusSeconds(60));
    assertThat(names(layout.uploads())).isEmpty();
    layout.close();
  }

  private Layout layoutOfACopy() throws Exception {
    Path copy = Files.createDirectory(directory.resolve("copy"));
    Files.createDirectory(copy.resolve("uploads"));
    for (String name : names(directory.resolve("uploads"))) {
      Files.copy(directory.resolve("uploads").resolve(name), copy.resolve("uploads").resolve(name));
    }
    return Layout.open(copy);
  }

  @ParameterizedTest
  @CsvSource({
    "bytes=0-0, 0, 1",
    "bytes=0-999, 0, 1000",
    "bytes=10-19, 10, 20",
    "bytes=990-5000, 990, 1000",
    "bytes=500-, 500, 1000",
    "bytes=-10, 990, 1000",
    "bytes=-5000, 0, 1000",
  })
  void aRangeIsServed(String range, int start, int end) throws Exception {
    client.putBlob("team/app", blob);
    Answer answer = client.get("/v2/team/app/blobs/" + digest, "Range", range).is(206);
    assertThat(answer.header("Content-Range"))
        .isEqualTo("bytes " + start + "-" + (end - 1) + "/1000");
    assertThat(answer.body()).isEqualTo(part(blob, start, end));
  }

  @ParameterizedTest
  @ValueSource(strings = {"bytes=1000-", "bytes=1000-2000", "bytes=-0"})
  void aRangeBeyondTheEndIsRefused(String range) throws Exception {
    client.putBlob("team/app", blob);
    Answer answer = client.get("/v2/team/app/blobs/" + digest, "Range", range).is(416);
    assertThat(answer.header("Content-Range")).isEqualTo("bytes */1000");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "bytes=0-1,5-6",
        "lines=1-2",
        "bytes=-",
        "bytes=9-3",
        "bytes=9999999999999999999-"
      })
  void whatIsNoSingleRangeGivesTheWhole(String range) throws Exception {
    client.putBlob("team/app", blob);
    assertThat(client.get("/v2/team/app/blobs/" + digest, "Range", range).is(200).body())
        .isEqualTo(blob);
  }

  @Test
  void aHeadSaysTheLengthWithoutTheBytes() throws Exception {
    client.putBlob("team/app", blob);
    Answer answer = client.send("HEAD", "/v2/team/app/blobs/" + digest, NONE).is(200);
    assertThat(answer.header("Content-Length")).isEqualTo("1000");
    assertThat(answer.header("Docker-Content-Digest")).isEqualTo(digest.toString());
    assertThat(answer.body()).isEmpty();
    client.send("HEAD", "/v2/team/other/blobs/" + digest, NONE).is(404);
    assertThat(registry.bytesServed("")).isZero();
  }

  @Test
  void aBlobIsMountedFromARepositoryThatHasIt() throws Exception {
    client.putBlob("team/app", blob);
    client.send("POST", "/v2/b/blobs/uploads/?mount=" + digest + "&from=team/app", NONE).is(201);
    assertThat(client.get("/v2/b/blobs/" + digest).is(200).body()).isEqualTo(blob);
    // From one that hasn't it, an upload begins instead.
    Digest other = Digest.of("other".getBytes(StandardCharsets.UTF_8));
    Answer upload =
        client.send("POST", "/v2/b/blobs/uploads/?mount=" + other + "&from=team/app", NONE).is(202);
    assertThat(upload.header("Location")).startsWith("/v2/b/blobs/uploads/");
  }

  @Test
  void aDeletedBlobIsGoneFromThisRepositoryOnly() throws Exception {
    client.putBlob("team/app", blob);
    client.putBlob("team/other", blob);
    client.send("DELETE", "/v2/team/app/blobs/" + digest, NONE).is(202);
    client.send("DELETE", "/v2/team/app/blobs/" + digest, NONE).is(404);
    client.get("/v2/team/app/blobs/" + digest).is(404);
    client.get("/v2/team/other/blobs/" + digest).is(200);
    client.send("DELETE", "/v2/team/other/blobs/" + digest, NONE).is(202);
    assertThat(files("content")).isEqualTo(1);
    stop();
    start();
    assertThat(files("content")).isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/v2/../blobs/sha256:0/x",
        "/v2/a/../../b/blobs/uploads/",
        "/v2/%2e%2e/%2e%2e/blobs/uploads/",
        "/v2/UPPER/blobs/uploads/",
        "/v2/_blobs/blobs/uploads/",
        "/v2/a//b/blobs/uploads/",
        "/v2/a%00b/blobs/uploads/",
      })
  void aNameThatIsNoneIsRefused(String path) throws Exception {
    // Over a socket of its own: the client would normalise the path.
    String head =
        "POST "
            + path
            + " HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
            + "Connection: close\r\n\r\n";
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), registry.port())) {
      socket.getOutputStream().write(head.getBytes(StandardCharsets.UTF_8));
      String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(answer).startsWith("HTTP/1.1 4").contains("\"code\":");
    }
    assertThat(files("repositories") + files("uploads")).isZero();
  }

  @Test
  void anUnwantedBodyDoesNotStopTheConnection() throws Exception {
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), registry.port())) {
      InputStream in = socket.getInputStream();
      for (int i = 0; i < 3; i++) {
        String head = "PUT /v2/nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n";
        socket.getOutputStream().write(head.getBytes(StandardCharsets.UTF_8));
        socket.getOutputStream().write(blob);
        StringBuilder answer = new StringBuilder();
        while (answer.indexOf("no such endpoint\"}]}") < 0) {
          int c = in.read();
          assertThat(c).as("the connection after: %s", answer).isNotNegative();
          answer.append((char) c);
        }
      }
    }
  }

  @Test
  void aLargeBlobStreamsBothWays() throws Exception {
    // More than the heap of the tests could hold twice; the registry must never hold it.
    byte[] chunk = new byte[8 << 20];
    var sha256 = Digest.newSha256();
    String session = begin();
    for (int i = 0; i < 40; i++) {
      new Random(i).nextBytes(chunk);
      sha256.update(chunk);
      session = client.send("PATCH", session, chunk).is(202).header("Location");
    }
    Digest large = Digest.ofHash(sha256.digest());
    client.send("PUT", session + "?digest=" + large, NONE).is(201);
    var received = Digest.newSha256();
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), registry.port())) {
      String head =
          "GET /v2/team/app/blobs/"
              + large
              + " HTTP/1.1\r\nHost: x\r\nUser-Agent: slow/1\r\nConnection: close\r\n\r\n";
      socket.getOutputStream().write(head.getBytes(StandardCharsets.UTF_8));
      InputStream in = socket.getInputStream();
      for (int last = 0; last != ('\r' << 24 | '\n' << 16 | '\r' << 8 | '\n'); ) {
        last = last << 8 | in.read();
      }
      for (int count; (count = in.read(chunk)) >= 0; ) {
        received.update(chunk, 0, count);
      }
    }
    assertThat(Digest.ofHash(received.digest())).isEqualTo(large);
    assertThat(registry.bytesServed("slow/")).isEqualTo(320L << 20);
  }

  private long files(String child) throws Exception {
    try (Stream<Path> all = Files.walk(directory.resolve(child))) {
      return all.filter(Files::isRegularFile).count();
    }
  }

  private static List<String> names(Path of) throws Exception {
    try (Stream<Path> all = Files.list(of)) {
      return all.map(file -> file.getFileName().toString()).toList();
    }
  }
}
