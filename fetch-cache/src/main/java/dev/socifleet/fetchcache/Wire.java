package dev.socifleet.fetchcache;

import io.netty.channel.ChannelHandlerContext;
import io.netty.util.concurrent.EventExecutor;
import io.vertx.core.Future;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.impl.HttpServerConnection;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** The connection below a request, for what Vert.x's own API doesn't offer. */
final class Wire {
  private static final long LINGER_SECONDS = 5;

  private Wire() {}

  /**
   * Ends the connection at once. {@code HttpConnection.close()} first sends what is waiting, which
   * a reader who takes nothing holds up for good.
   */
  static void cut(HttpServerRequest request) {
    // Vert.x's handler would turn the channel's own close() into an orderly one; this passes it by.
    var _ = context(request).close();
  }

  /**
   * Writes something on the connection's event loop, where it can't end in between: elsewhere a
   * write to a connection that has just ended fails in Vert.x itself (5.1.6), and tells nobody.
   * Throws nothing; what is returned completes whatever happens.
   */
  static CompletableFuture<Boolean> send(
      HttpServerRequest request, Supplier<Future<Void>> writing) {
    CompletableFuture<Boolean> sent = new CompletableFuture<>();
    try {
      context(request)
          .executor()
          .execute(() -> {
            try {
              var _ =
                  writing
                      .get()
                      .onSuccess(done -> sent.complete(true))
                      .onFailure(sent::completeExceptionally);
            } catch (RuntimeException | Error e) {
              sent.completeExceptionally(e);
            }
          });
    } catch (RejectedExecutionException e) {
      sent.completeExceptionally(e); // the cache has closed
    }
    return sent;
  }

  /**
   * Ends the connection of a request that was answered before its body was read. What still comes
   * is thrown away for a while: a connection that is closed over unread bytes is reset, and the
   * answer with it.
   */
  static void endAfterAnswer(HttpServerRequest request) {
    EventExecutor loop = context(request).executor();
    loop.execute(() -> {
      if (request.isEnded() || !isOpen(request)) {
        var _ = request.connection().close();
        return;
      }
      request.handler(unwanted -> {});
      request.endHandler(end -> request.connection().close());
      request.resume();
      var _ = loop.schedule(() -> cut(request), LINGER_SECONDS, TimeUnit.SECONDS);
    });
  }

  static boolean isOpen(HttpServerRequest request) {
    return context(request).channel().isActive();
  }

  private static ChannelHandlerContext context(HttpServerRequest request) {
    return ((HttpServerConnection) request.connection()).channelHandlerContext();
  }
}
