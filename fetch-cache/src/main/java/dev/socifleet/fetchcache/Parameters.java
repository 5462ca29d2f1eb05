package dev.socifleet.fetchcache;

import dev.socifleet.cacheclient.CacheHeaders;
import dev.socifleet.cacheclient.SpanQuestion.Terms;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import io.vertx.core.http.HttpServerRequest;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/** What stands in a request's address and headers; what doesn't mean anything is a 400. */
final class Parameters {
  private static final int LONGEST_HOLDER = 128;

  private Parameters() {}

  static <T> T of(HttpServerRequest request, String name, Function<String, T> parser)
      throws Refusal {
    String text = request.getParam(name);
    if (text == null) {
      throw Refusal.malformed("the parameter " + name + " is missing");
    }
    try {
      return parser.apply(text);
    } catch (IllegalArgumentException e) {
      throw Refusal.malformed("the parameter " + name + ": " + e.getMessage());
    }
  }

  static Caller caller(HttpServerRequest request) throws Refusal {
    RepositoryName repository = of(request, "repository", RepositoryName::parse);
    return Caller.of(repository, request.getHeader(CacheHeaders.REGISTRY_AUTHORIZATION));
  }

  static Terms terms(HttpServerRequest request) {
    String control = Optional.ofNullable(request.getHeader("Cache-Control")).orElse("");
    if (control.toLowerCase(Locale.ROOT).contains(CacheHeaders.ONLY_IF_CACHED)) {
      return Terms.ONLY_IF_CACHED;
    }
    return request.getHeader(CacheHeaders.FORWARDED) == null ? Terms.ANY : Terms.FORWARDED;
  }

  static String holder(HttpServerRequest request) throws Refusal {
    String holder = Optional.ofNullable(request.getParam("holder")).orElse("");
    if (holder.isEmpty() || holder.length() > LONGEST_HOLDER) {
      throw Refusal.malformed("holder must be 1 to " + LONGEST_HOLDER + " characters");
    }
    return holder;
  }

  static Digest digest(String segment) throws Refusal {
    try {
      return Digest.parse(URLDecoder.decode(segment, StandardCharsets.UTF_8));
    } catch (IllegalArgumentException e) {
      throw Refusal.malformed(String.valueOf(e.getMessage()));
    }
  }

  static long spanSize(String segment) throws Refusal {
    if (!segment.matches("[1-9]\\d{0,17}")) {
      throw Refusal.malformed("not a span size in bytes: '" + segment + "'");
    }
    return Long.parseLong(segment);
  }
}
