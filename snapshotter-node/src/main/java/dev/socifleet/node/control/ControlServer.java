package dev.socifleet.node.control;

import dev.socifleet.node.control.ControlApi.Answer;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.net.SocketAddress;
import java.io.IOException;
import java.net.ConnectException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The control API on a unix socket of mode 0600.
 *
 * <pre>
 * POST   /v1/mounts        {"image": "registry/app:1", "platform": ""}  -> 200, a MountedImage
 * GET    /v1/mounts        -> 200, all of them
 * DELETE /v1/mounts/{id}   -> 204; its layers may go
 * GET    /v1/status        -> 200, a NodeStatus
 * </pre>
 *
 * Failures are {@code {"error": "…"}}: 400 what was asked makes no sense, 403 not allowed or denied
 * by the registry, 404 no such image or mount, 422 the image can't be mounted, 502 and 503 not now.
 * A caller that goes away before its answer leaves no mount behind.
 */
public final class ControlServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ControlServer.class);
  private static final int LARGEST_BODY = 64 << 10;
  private static final int CALLS_AT_A_TIME = 16;
  // sockaddr_un.sun_path holds 108 bytes with its end; what is bound first has a longer name.
  private static final int LONGEST_PATH = 103;
  private static final long START_SECONDS = 60;
  private static final long STOP_SECONDS = 5;

  private final Path socket;
  private final Vertx vertx;
  private final ControlApi api;
  private final Semaphore calls = new Semaphore(CALLS_AT_A_TIME);

  private ControlServer(Path socket, Vertx vertx, ControlApi api) {
    this.socket = socket;
    this.vertx = vertx;
    this.api = api;
  }

  /** Listens; the file of a node that is gone is replaced, one that still answers is not. */
  public static ControlServer start(Path socket, ControlApi api) throws IOException {
    Path path = socket.toAbsolutePath();
    Path directory = path.getParent();
    if (directory == null
        || path.toString().getBytes(StandardCharsets.UTF_8).length > LONGEST_PATH) {
      throw new IOException(
          "cannot listen on "
              + path
              + ": a socket's path has at most "
              + LONGEST_PATH
              + " bytes; set control.socket");
    }
    Files.createDirectories(directory);
    refuseIfServed(path);
    // Bound under another name until its mode is right, so nobody else connects in between.
    Path unready = directory.resolve(path.getFileName() + ".new");
    Files.deleteIfExists(unready);
    Vertx vertx =
        Vertx.vertx(
            new VertxOptions()
                .setEventLoopPoolSize(1)
                .setWorkerPoolSize(1)
                .setInternalBlockingPoolSize(1)
                .setFileSystemOptions(
                    new FileSystemOptions()
                        .setFileCachingEnabled(false)
                        .setClassPathResolvingEnabled(false)));
    ControlServer server = new ControlServer(path, vertx, api);
    try {
      var _ =
          vertx
              .createHttpServer()
              .requestHandler(server::receive)
              .listen(SocketAddress.domainSocketAddress(unready.toString()))
              .toCompletionStage()
              .toCompletableFuture()
              .get(START_SECONDS, TimeUnit.SECONDS);
      Files.setPosixFilePermissions(unready, PosixFilePermissions.fromString("rw-------"));
      Files.move(unready, path, StandardCopyOption.ATOMIC_MOVE);
      return server;
    } catch (ExecutionException | TimeoutException | IOException e) {
      server.stop();
      throw new IOException("cannot listen on " + path + ": " + e, e);
    } catch (InterruptedException e) {
      server.stop();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while opening " + path, e);
    }
  }

  private static void refuseIfServed(Path path) throws IOException {
    if (!Files.exists(path)) {
      return;
    }
    try {
      SocketChannel.open(UnixDomainSocketAddress.of(path)).close();
    } catch (ConnectException e) {
      return; // left by a node that ended without closing it
    }
    throw new IOException(
        "cannot listen on " + path + ": another process does; stop it or set control.socket");
  }

  private void receive(HttpServerRequest request) {
    Buffer body = Buffer.buffer();
    request.handler(piece -> {
      if (body.length() <= LARGEST_BODY) {
        body.appendBuffer(piece);
      }
    });
    request.endHandler(_ -> {
      if (body.length() > LARGEST_BODY) {
        send(request, Answer.failure(413, "a request has at most " + LARGEST_BODY + " bytes"));
      } else if (!calls.tryAcquire()) {
        send(request, Answer.failure(503, "too many calls at a time: try again"));
      } else {
        Thread call =
            Thread.ofVirtual()
                .unstarted(() -> {
                  try {
                    answer(request, body.getBytes());
                  } finally {
                    calls.release();
                  }
                });
        request.connection().closeHandler(_ -> call.interrupt());
        call.start();
      }
    });
  }

  @SuppressWarnings("IllegalCatch") // the edge of each call: its caller must be told
  private void answer(HttpServerRequest request, byte[] body) {
    Answer answer;
    try {
      answer = api.answer(request.method().name(), request.path(), body);
    } catch (RuntimeException e) {
      log.error("{} {} failed", request.method(), request.path(), e);
      answer = Answer.failure(500, "it failed unexpectedly; see the node's log");
    }
    Answer made = answer;
    vertx.runOnContext(_ -> send(request, made));
  }

  private void send(HttpServerRequest request, Answer answer) {
    HttpServerResponse response = request.response();
    if (response.closed()) {
      undo(answer);
      return;
    }
    response.setStatusCode(answer.status());
    var _ =
        (answer.json().isEmpty()
                ? response.end()
                : response.putHeader("Content-Type", "application/json").end(answer.json()))
            .onFailure(_ -> undo(answer));
  }

  private void undo(Answer answer) {
    if (!answer.made().isEmpty()) {
      Thread.startVirtualThread(() -> api.undo(answer.made()));
    }
  }

  /** Stops listening and removes the socket's file. */
  @Override
  public void close() {
    try {
      Files.deleteIfExists(socket);
    } catch (IOException e) {
      log.warn("cannot remove {}: {}", socket, e.toString());
    }
    stop();
  }

  private void stop() {
    try {
      vertx.close().toCompletionStage().toCompletableFuture().get(STOP_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      log.warn("the control socket did not close in order", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
