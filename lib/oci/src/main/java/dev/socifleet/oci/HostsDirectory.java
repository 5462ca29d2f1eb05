package dev.socifleet.oci;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.toml.TomlMapper;
import dev.socifleet.oci.Endpoint.Capability;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * containerd's description of registries' hosts, {@code <root>/<host>/hosts.toml} (containerd,
 * docs/hosts.md): mirrors to ask first, certificates, headers. A directory without that file may
 * hold certificates as Docker has them: {@code *.crt} of authorities, {@code *.cert} and {@code
 * *.key} of ours. {@code _default} is for every registry without a directory of its own. Read at
 * every use, so a change takes effect at once. Thread-safe.
 *
 * <pre>
 * server = "https://registry.example"      # the registry itself
 * ca = "ca.pem"                            # text or list of texts; client, skip_verify,
 *                                          # dial_timeout, [header] likewise
 * [host."https://mirror.example"]
 *   capabilities = ["pull", "resolve"]     # all of them without it
 *   client = [["our.cert", "our.key"]]     # or a file that holds both
 *   override_path = false                  # the address ends with what stands for /v2
 *   [host."https://mirror.example".header]
 *     X-Fleet = "a"
 * </pre>
 */
public final class HostsDirectory {
  /** No such directory: each registry is where its {@link RegistryHost} says. */
  public static final HostsDirectory NONE = new HostsDirectory(List.of());

  private static final TomlMapper TOML = new TomlMapper();
  private static final int LARGEST = 1 << 20;
  private static final Duration DIAL_TIMEOUT = Duration.ofSeconds(10);

  /** A mirror is there to be fast; behind it there is the registry. */
  private static final Duration MIRROR_DIAL_TIMEOUT = Duration.ofSeconds(3);

  private static final Pattern HEADER = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]+");
  private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(ms|s|m)");
  private static final Set<String> HEADERS_OF_OURS =
      Set.of("authorization", "host", "content-length", "connection", "expect", "upgrade");

  private final List<Path> roots;
  private final Tls asked;

  /**
   * @param roots the first that has a directory for a registry wins
   */
  public HostsDirectory(List<Path> roots) {
    this(roots, Tls.STANDARD);
  }

  private HostsDirectory(List<Path> roots, Tls asked) {
    this.roots = List.copyOf(roots);
    this.asked = asked;
  }

  /** containerd's and Docker's own. */
  public static HostsDirectory standard() {
    return new HostsDirectory(
        List.of(Path.of("/etc/containerd/certs.d"), Path.of("/etc/docker/certs.d")));
  }

  /**
   * The same, but the registries themselves are connected to so, each part in the place of what is
   * described. Mirrors stay as they are described.
   *
   * @param authorities whom to trust, PEM
   * @param certificate ours, PEM; with its key, or none of them
   * @param skipVerify whether the registry's certificate isn't looked at
   */
  public HostsDirectory withTls(
      List<Path> authorities, Optional<Path> certificate, Optional<Path> key, boolean skipVerify) {
    List<Tls.Identity> identities =
        certificate.isPresent() && key.isPresent()
            ? List.of(new Tls.Identity(certificate.get(), key.get()))
            : List.of();
    return new HostsDirectory(
        roots, Tls.of(authorities, identities, skipVerify, Tls.STANDARD.connectTimeout()));
  }

  /** The mirrors in the order in which they are asked, and the registry itself. */
  List<Endpoint> endpoints(RegistryHost host) throws RegistryException {
    List<Endpoint> all = new ArrayList<>(described(host));
    all.add(all.removeLast().withTls(asked));
    return all;
  }

  private List<Endpoint> described(RegistryHost host) throws RegistryException {
    Optional<Path> directory = directory(host.host());
    if (directory.isEmpty()) {
      return List.of(Endpoint.of(host));
    }
    Path file = directory.get().resolve("hosts.toml");
    try {
      return Files.exists(file)
          ? read(directory.get(), host)
          : List.of(certificates(directory.get(), host));
    } catch (JsonProcessingException e) {
      throw refused(file, host, "not TOML" + where(e) + ": " + e.getOriginalMessage(), e);
    } catch (IOException | IllegalArgumentException e) {
      throw refused(file, host, String.valueOf(e.getMessage()), e);
    }
  }

  private Optional<Path> directory(String host) {
    int colon = host.lastIndexOf(':');
    List<String> names = new ArrayList<>();
    if (colon > 0 && !host.endsWith("]")) {
      names.add(host.substring(0, colon) + "_" + host.substring(colon + 1) + "_");
    }
    names.add(host);
    names.add("_default");
    return roots.stream()
        .flatMap(root -> names.stream().map(root::resolve))
        .filter(Files::isDirectory)
        .findFirst();
  }

  private static List<Endpoint> read(Path directory, RegistryHost host) throws IOException {
    Path file = directory.resolve("hosts.toml");
    if (Files.size(file) > LARGEST) {
      throw new IOException("larger than " + LARGEST + " bytes");
    }
    JsonNode root = TOML.readTree(Files.readString(file));
    List<Endpoint> all = new ArrayList<>();
    for (Map.Entry<String, JsonNode> mirror : root.path("host").properties()) {
      all.add(mirror(directory, host, mirror.getKey(), mirror.getValue()));
    }
    String server = root.path("server").asText("");
    boolean standard = host.base().equals(RegistryHost.of(host.host()).base());
    URI address = server.isEmpty() || !standard ? host.base() : address(server);
    URI base =
        root.path("override_path").asBoolean(false) && !server.isEmpty() && standard
            ? address
            : Endpoint.api(address);
    all.add(
        new Endpoint(
            base,
            EnumSet.allOf(Capability.class),
            tls(directory, root, DIAL_TIMEOUT),
            headers(root),
            ""));
    return all;
  }

  private static Endpoint mirror(Path directory, RegistryHost host, String name, JsonNode table) {
    URI address = address(name);
    Set<Capability> capabilities = EnumSet.noneOf(Capability.class);
    for (JsonNode capability : table.path("capabilities")) {
      switch (capability.asText()) {
        case "pull" -> capabilities.add(Capability.PULL);
        case "resolve" -> capabilities.add(Capability.RESOLVE);
        case "push" -> capabilities.add(Capability.PUSH);
        default -> {
          // newer than we are
        }
      }
    }
    return new Endpoint(
        table.path("override_path").asBoolean(false) ? address : Endpoint.api(address),
        table.has("capabilities") ? capabilities : EnumSet.allOf(Capability.class),
        tls(directory, table, MIRROR_DIAL_TIMEOUT),
        headers(table),
        host.host());
  }

  private static URI address(String text) {
    URI address = URI.create(text.contains("://") ? text : "https://" + text);
    String scheme = address.getScheme();
    if (address.getHost() == null || !("http".equals(scheme) || "https".equals(scheme))) {
      throw new IllegalArgumentException("not an http or https address: '" + text + "'");
    }
    return URI.create(address.toString().replaceAll("/+$", ""));
  }

  private static Tls tls(Path directory, JsonNode table, Duration dialTimeout) {
    List<Path> authorities = new ArrayList<>();
    for (JsonNode ca : list(table.path("ca"))) {
      authorities.add(path(directory, ca, "ca"));
    }
    List<Tls.Identity> identities = new ArrayList<>();
    for (JsonNode client : list(table.path("client"))) {
      JsonNode certificate = client.isArray() ? client.path(0) : client;
      boolean hasKey = client.isArray() && !client.path(1).asText("").isEmpty();
      identities.add(
          new Tls.Identity(
              path(directory, certificate, "client"),
              path(directory, hasKey ? client.path(1) : certificate, "client")));
    }
    return Tls.of(
        authorities,
        identities,
        table.path("skip_verify").asBoolean(false),
        dialTimeout(table, dialTimeout));
  }

  /** A list as it is, anything else as a list of one. */
  private static List<JsonNode> list(JsonNode node) {
    List<JsonNode> all = new ArrayList<>();
    if (node.isArray()) {
      node.forEach(all::add);
    } else if (!node.isMissingNode()) {
      all.add(node);
    }
    return all;
  }

  private static Path path(Path directory, JsonNode node, String key) {
    if (!node.isTextual() || node.asText().isEmpty()) {
      throw new IllegalArgumentException("'" + key + "' isn't the name of a file");
    }
    return directory.resolve(node.asText());
  }

  private static Duration dialTimeout(JsonNode table, Duration standard) {
    String text = table.path("dial_timeout").asText("");
    if (text.isEmpty()) {
      return standard;
    }
    Matcher duration = DURATION.matcher(text);
    if (!duration.matches() || duration.group(1).matches("0+")) {
      throw new IllegalArgumentException("'dial_timeout' isn't a time like \"5s\": '" + text + "'");
    }
    long count = Long.parseLong(duration.group(1));
    return switch (duration.group(2)) {
      case "ms" -> Duration.ofMillis(count);
      case "s" -> Duration.ofSeconds(count);
      default -> Duration.ofMinutes(count);
    };
  }

  private static Map<String, String> headers(JsonNode table) {
    Map<String, String> all = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> header : table.path("header").properties()) {
      String name = header.getKey();
      if (!HEADER.matcher(name).matches()
          || HEADERS_OF_OURS.contains(name.toLowerCase(Locale.ROOT))) {
        throw new IllegalArgumentException("'" + name + "' can't be a header here");
      }
      String value =
          String.join(", ", list(header.getValue()).stream().map(each -> each.asText("")).toList());
      if (!value.chars().allMatch(c -> c >= 0x20 && c < 0x7f)) {
        throw new IllegalArgumentException("the header '" + name + "' isn't plain text");
      }
      all.put(name, value);
    }
    return all;
  }

  /** A directory as Docker has it. */
  private static Endpoint certificates(Path directory, RegistryHost host) throws IOException {
    List<Path> authorities = new ArrayList<>();
    List<Tls.Identity> identities = new ArrayList<>();
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.sorted().toList()) {
        String name = file.getFileName().toString();
        if (name.endsWith(".crt")) {
          authorities.add(file);
        } else if (name.endsWith(".cert")) {
          String key = name.substring(0, name.length() - ".cert".length()) + ".key";
          identities.add(new Tls.Identity(file, directory.resolve(key)));
        }
      }
    }
    return Endpoint.registry(
        host.base(), Tls.of(authorities, identities, false, DIAL_TIMEOUT), Map.of());
  }

  private static String where(JsonProcessingException e) {
    return e.getLocation() == null ? "" : ", line " + e.getLocation().getLineNr();
  }

  private static RegistryException refused(
      Path file, RegistryHost host, String why, Exception cause) {
    return new RegistryException(
        "cannot use " + host.host() + " as " + file + " says: " + why,
        0,
        List.of(),
        false,
        null,
        cause);
  }
}
