package dev.socifleet.embedded.registry;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.socifleet.embedded.registry.RepositoryStore.Stored;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageIndex;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/** Lists in pages: tags, the catalog, referrers. */
final class ListEndpoint {
  private static final JsonMapper JSON = new JsonMapper();
  private static final int LARGEST_PAGE = 10_000;
  private static final int MOST_REFERRERS = 250;

  /** Of manifests behind one page of referrers, so that the page fits 4 MiB whatever they say. */
  private static final long LARGEST_REFERRERS = 3 << 20;

  /** Some of a sorted list, and whether more follows. */
  private record Page(List<String> entries, boolean more) {}

  private final RepositoryStore repositories;
  private final boolean referrersApi;

  ListEndpoint(RepositoryStore repositories, boolean referrersApi) {
    this.repositories = repositories;
    this.referrersApi = referrersApi;
  }

  void tags(Exchange exchange, String repository) throws IOException, Problem {
    reading(exchange);
    if (!repositories.exists(repository)) {
      throw new Problem(404, "NAME_UNKNOWN", "no such repository");
    }
    Page page = page(exchange, repositories.tags(repository));
    ObjectNode answer = JSON.createObjectNode().put("name", repository);
    page.entries().forEach(answer.putArray("tags")::add);
    exchange.json(200, answer, link("/v2/" + repository + "/tags/list", page));
  }

  void catalog(Exchange exchange, Predicate<String> visible) throws IOException, Problem {
    reading(exchange);
    Page page = page(exchange, repositories.repositories().stream().filter(visible).toList());
    ObjectNode answer = JSON.createObjectNode();
    page.entries().forEach(answer.putArray("repositories")::add);
    exchange.json(200, answer, link("/v2/_catalog", page));
  }

  void referrers(Exchange exchange, String repository, Digest subject) throws IOException, Problem {
    reading(exchange);
    if (!referrersApi) {
      throw new Problem(404, "NOT_FOUND", "this registry has no Referrers API");
    }
    Optional<String> wanted = exchange.parameter("artifactType");
    String last = exchange.parameter("last").orElse("");
    List<Descriptor> found = new ArrayList<>();
    String next = "";
    long bytes = 0;
    for (Digest digest : repositories.referrers(repository, subject)) {
      if (digest.toString().compareTo(last) <= 0) {
        continue;
      }
      if (found.size() == MOST_REFERRERS || bytes > LARGEST_REFERRERS) {
        next = found.getLast().digest().toString();
        break;
      }
      Optional<Stored> stored = repositories.manifest(repository, digest);
      if (stored.isEmpty()) {
        continue; // deleted meanwhile
      }
      PushedManifest manifest =
          PushedManifest.read(repositories.bytes(stored.get()), stored.get().mediaType());
      if (wanted.isEmpty() || wanted.get().equals(manifest.artifactType())) {
        bytes += stored.get().size();
        found.add(
            Descriptor.of(manifest.mediaType(), digest, stored.get().size())
                .withAnnotations(manifest.annotations())
                .withArtifactType(manifest.artifactType()));
      }
    }
    Map<String, String> headers = new HashMap<>();
    headers.put("Content-Type", MediaTypes.OCI_INDEX);
    wanted.ifPresent(_ -> headers.put("OCI-Filters-Applied", "artifactType"));
    if (!next.isEmpty()) {
      headers.put(
          "Link",
          "</v2/"
              + repository
              + "/referrers/"
              + subject
              + "?last="
              + next
              + wanted.map(type -> "&artifactType=" + encode(type)).orElse("")
              + ">; rel=\"next\"");
    }
    exchange.answer(
        200,
        headers,
        OciJson.write(new ImageIndex(MediaTypes.OCI_INDEX, "", found, null, Map.of())));
  }

  private static void reading(Exchange exchange) throws Problem {
    if (!exchange.method().equals("GET") && !exchange.head()) {
      throw Problem.unsupported(exchange.method());
    }
  }

  /** {@code n} entries after {@code last} (distribution specification, "Listing Tags"). */
  private static Page page(Exchange exchange, List<String> sorted) throws Problem {
    String asked = exchange.parameter("n").orElse(String.valueOf(LARGEST_PAGE));
    if (!asked.matches("\\d{1,9}")) {
      throw new Problem(400, "PAGINATION_NUMBER_INVALID", "n isn't a number of entries");
    }
    int most = Math.min(Integer.parseInt(asked), LARGEST_PAGE);
    String last = exchange.parameter("last").orElse("");
    List<String> rest =
        sorted.stream().filter(entry -> entry.compareTo(last) > 0).limit(most + 1L).toList();
    return most > 0 && rest.size() > most
        ? new Page(rest.subList(0, most), true)
        : new Page(rest.subList(0, Math.min(most, rest.size())), false);
  }

  private static Map<String, String> link(String path, Page page) {
    return page.more()
        ? Map.of(
            "Link",
            "<"
                + path
                + "?n="
                + page.entries().size()
                + "&last="
                + encode(page.entries().getLast())
                + ">; rel=\"next\"")
        : Map.of();
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
