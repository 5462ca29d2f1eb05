package dev.socifleet.embedded.registry;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which endpoint answers a path (distribution specification, "Endpoints"). Names, tags and digests
 * are checked here and in {@link #digest}: nothing else becomes the name of a file.
 */
final class Endpoints {
  private static final JsonMapper JSON = new JsonMapper();
  private static final Set<String> READING = Set.of("GET", "HEAD");

  /** Answers a request of a repository; {@code last} is the last part of the path, or empty. */
  @FunctionalInterface
  private interface Endpoint {
    void answer(Exchange exchange, String repository, String last) throws IOException, Problem;
  }

  /**
   * @param path of which the first group is the repository, the second the rest
   * @param reads the methods that only need the right to pull
   */
  private record Route(Pattern path, Set<String> reads, Endpoint endpoint) {}

  private final Users users;
  private final ListEndpoint lists;
  private final List<Route> routes;

  Endpoints(
      Users users,
      BlobEndpoint blobs,
      UploadEndpoint uploads,
      ManifestEndpoint manifests,
      ListEndpoint lists) {
    this.users = users;
    this.lists = lists;
    // In this order: a repository may itself be called "blobs" or "tags".
    routes =
        List.of(
            new Route(
                Pattern.compile("/v2/(.+)/blobs/uploads(/?)"),
                Set.of(),
                (exchange, repository, _) ->
                    uploads.begin(exchange, repository, from -> mayPull(exchange, from))),
            new Route(Pattern.compile("/v2/(.+)/blobs/uploads/([^/]+)"), Set.of(), uploads::go),
            new Route(
                Pattern.compile("/v2/(.+)/blobs/([^/]+)"),
                READING,
                (exchange, repository, last) -> blobs.go(exchange, repository, digest(last))),
            new Route(Pattern.compile("/v2/(.+)/manifests/([^/]+)"), READING, manifests::go),
            new Route(
                Pattern.compile("/v2/(.+)/tags/(list)"),
                READING,
                (exchange, repository, _) -> lists.tags(exchange, repository)),
            new Route(
                Pattern.compile("/v2/(.+)/referrers/([^/]+)"),
                READING,
                (exchange, repository, last) ->
                    lists.referrers(exchange, repository, digest(last))));
  }

  void handle(Exchange exchange) throws IOException, Problem {
    String path = exchange.path();
    String authorization = authorization(exchange);
    if (path.equals("/v2") || path.equals("/v2/")) {
      users.identify(authorization);
      exchange.json(
          200, JSON.createObjectNode(), Map.of("Docker-Distribution-API-Version", "registry/2.0"));
      return;
    }
    if (path.equals("/v2/_catalog")) {
      users.identify(authorization);
      lists.catalog(exchange, name -> users.mayPull(authorization, name));
      return;
    }
    for (Route route : routes) {
      Matcher matcher = route.path().matcher(path);
      if (matcher.matches()) {
        String repository = checkedName(matcher.group(1));
        users.check(authorization, repository, !route.reads().contains(exchange.method()));
        route.endpoint().answer(exchange, repository, matcher.group(2));
        return;
      }
    }
    throw new Problem(404, "NOT_FOUND", "no such endpoint");
  }

  private static String authorization(Exchange exchange) {
    return exchange.header("Authorization").orElse("");
  }

  private boolean mayPull(Exchange exchange, String repository) {
    return users.mayPull(authorization(exchange), repository);
  }

  static String checkedName(String name) throws Problem {
    try {
      return new RepositoryName("localhost", name).name();
    } catch (IllegalArgumentException e) {
      throw new Problem(400, "NAME_INVALID", "not a repository name");
    }
  }

  static Digest digest(String text) throws Problem {
    try {
      return Digest.parse(text);
    } catch (IllegalArgumentException e) {
      throw new Problem(400, "DIGEST_INVALID", String.valueOf(e.getMessage()));
    }
  }
}
