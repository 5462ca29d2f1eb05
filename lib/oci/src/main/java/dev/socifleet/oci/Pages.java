package dev.socifleet.oci;

import java.net.URI;
import java.net.http.HttpResponse;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The pages of one listing, by the {@code Link} header (RFC 8288). Only the query of a link is
 * taken, the rest stays as asked: registries behind a proxy name hosts and schemes that aren't
 * theirs to the outside, and none shall send our token elsewhere. A listing that goes in circles or
 * has no end is malformed. One thread.
 */
final class Pages {
  private static final int MOST_PAGES = 10_000;
  private static final int MOST_ENTRIES = 1_000_000;
  private static final int LONGEST_LINK = 8 << 10;
  private static final Pattern LINK = Pattern.compile("<([^<>]*)>([^<]*)");
  private static final Pattern NEXT =
      Pattern.compile(";\\s*rel\\s*=\\s*\"?next\"?\\s*(?:[;,]|$)", Pattern.CASE_INSENSITIVE);

  private static final Pattern NAMESPACE = Pattern.compile("(?:^|&)(ns=[^&]*)");

  private final URI first;
  private final Set<String> seen = new HashSet<>();

  Pages(URI first) {
    this.first = first;
  }

  URI first() {
    return first;
  }

  /**
   * The page after this one, null after the last.
   *
   * @param entries how many there are by now
   */
  @Nullable URI after(HttpResponse<?> response, int entries) throws MalformedDocumentException {
    for (String header : response.headers().allValues("Link")) {
      Optional<String> query = header.length() > LONGEST_LINK ? Optional.empty() : next(header);
      if (query.isEmpty()) {
        continue;
      }
      if (!seen.add(query.get()) || seen.size() > MOST_PAGES || entries > MOST_ENTRIES) {
        throw new MalformedDocumentException(
            "the listing has no end: " + seen.size() + " pages, " + entries + " entries");
      }
      try {
        String path = first.toString().split("\\?", 2)[0];
        return URI.create(path + "?" + withNamespace(query.get()));
      } catch (IllegalArgumentException e) {
        throw new MalformedDocumentException("the next page of the listing has no valid address");
      }
    }
    return null;
  }

  /** A mirror must be told again whose repository is meant. */
  private String withNamespace(String query) {
    String asked = first.getRawQuery() == null ? "" : first.getRawQuery();
    Matcher namespace = NAMESPACE.matcher(asked);
    return namespace.find() && !NAMESPACE.matcher(query).find()
        ? query + "&" + namespace.group(1)
        : query;
  }

  private static Optional<String> next(String header) {
    Matcher link = LINK.matcher(header);
    while (link.find()) {
      String[] parts = link.group(1).split("\\?", 2);
      if (parts.length == 2 && NEXT.matcher(link.group(2)).find()) {
        return Optional.of(parts[1].split("#", 2)[0]);
      }
    }
    return Optional.empty();
  }
}
