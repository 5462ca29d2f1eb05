package dev.socifleet.fetchcache;

import io.netty.channel.ChannelHandlerContext;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.impl.HttpServerConnection;

/** The connection below a request, for what Vert.x's own API doesn't offer. */
final class Wire {
  private Wire() {}

  /**
   * Ends the connection at once. {@code HttpConnection.close()} first sends what is waiting, which
   * a reader who takes nothing holds up for good.
   */
  static void cut(HttpServerRequest request) {
    // Vert.x's handler would turn the channel's own close() into an orderly one; this passes it by.
    var _ = context(request).close();
  }

  static boolean isOpen(HttpServerRequest request) {
    return context(request).channel().isActive();
  }

  private static ChannelHandlerContext context(HttpServerRequest request) {
    return ((HttpServerConnection) request.connection()).channelHandlerContext();
  }
}
