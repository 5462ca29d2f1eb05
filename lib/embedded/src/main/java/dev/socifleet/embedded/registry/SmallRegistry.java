package dev.socifleet.embedded.registry;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * An OCI registry (distribution specification 1.1) in this process, with its state in one
 * directory.
 *
 * <p>Blobs stream in both directions. What was acknowledged survives the end of the process,
 * however it ends; a machine that loses power may forget the last pushes, but never serves wrong
 * bytes. Registries without authentication should listen on loopback.
 */
public final class SmallRegistry implements AutoCloseable {

  /**
   * @param directory its state; created when missing; one registry at a time
   * @param listen the address; port 0 chooses a free one
   * @param referrersApi whether it has the Referrers API; without it clients keep fallback tags
   * @param notifications whom to tell of pushes, if it is known already
   * @param users who may do what; empty lets everybody do everything
   */
  public record Options(
      Path directory,
      InetSocketAddress listen,
      boolean referrersApi,
      Optional<Notifications> notifications,
      List<User> users) {
    public Options {
      users = List.copyOf(users);
    }

    public Options(
        Path directory,
        InetSocketAddress listen,
        boolean referrersApi,
        Optional<Notifications> notifications) {
      this(directory, listen, referrersApi, notifications, List.of());
    }

    /** On a free port of loopback, with the Referrers API, telling nobody, open to everybody. */
    public static Options in(Path directory) {
      return new Options(
          directory,
          new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
          true,
          Optional.empty(),
          List.of());
    }

    public Options withListen(InetSocketAddress newListen) {
      return new Options(directory, newListen, referrersApi, notifications, users);
    }

    public Options withPort(int port) {
      return withListen(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    }

    public Options withReferrersApi(boolean newReferrersApi) {
      return new Options(directory, listen, newReferrersApi, notifications, users);
    }

    public Options withNotifications(Notifications newNotifications) {
      return new Options(directory, listen, referrersApi, Optional.of(newNotifications), users);
    }

    public Options withUsers(List<User> newUsers) {
      return new Options(directory, listen, referrersApi, notifications, newUsers);
    }
  }

  /**
   * Where events of pushes and deletions go, as the CNCF Distribution registry sends them.
   *
   * @param authorization the whole Authorization header; empty sends none
   */
  public record Notifications(URI url, String authorization) {
    public Notifications {
      if (url.getHost() == null
          || !("http".equals(url.getScheme()) || "https".equals(url.getScheme()))) {
        throw new IllegalArgumentException(
            "notifications need an http or https address, not '" + url + "'");
      }
    }

    @Override
    public String toString() {
      return "Notifications[" + url.getScheme() + "://" + url.getAuthority() + url.getPath() + "]";
    }
  }

  /**
   * Someone who logs in by Basic authentication.
   *
   * @param pull the repositories to read, {@code *} matching any text
   * @param push the repositories to write; they may be read as well
   */
  public record User(String name, String password, List<String> pull, List<String> push) {
    public User {
      pull = List.copyOf(pull);
      push = List.copyOf(push);
    }

    /** May read and write everything. */
    public static User of(String name, String password) {
      return new User(name, password, List.of("*"), List.of("*"));
    }

    @Override
    public String toString() {
      return "User[" + name + "]";
    }
  }

  /**
   * One request that was answered.
   *
   * @param path without the query
   * @param range the Range header, e.g. {@code bytes=0-99}
   * @param bytes of the answer's body that were handed to the connection
   */
  public record Access(
      Instant at,
      String method,
      String path,
      Optional<String> range,
      int status,
      long bytes,
      String userAgent) {}

  private final RegistryServer server;
  private final EventQueue events;
  private final AccessLog accesses;
  private final Layout layout;
  private final String address;

  private SmallRegistry(
      RegistryServer server, EventQueue events, AccessLog accesses, Layout layout, String address) {
    this.layout = layout;
    this.server = server;
    this.events = events;
    this.accesses = accesses;
    this.address = address;
  }

  /** Returns when it takes requests. */
  public static SmallRegistry start(Options options) throws IOException {
    Layout layout = Layout.open(options.directory());
    try {
      ContentStore content = new ContentStore(layout);
      RepositoryStore repositories = new RepositoryStore(layout, content);
      repositories.sweep();
      AccessLog accesses = new AccessLog();
      EventQueue events = new EventQueue(layout.events());
      options.notifications().ifPresent(events::target);
      Endpoints endpoints =
          new Endpoints(
              new Users(options.users()),
              new BlobEndpoint(repositories, content, accesses),
              new UploadEndpoint(repositories, new Uploads(layout, content)),
              new ManifestEndpoint(repositories, events, options.referrersApi()),
              new ListEndpoint(repositories, options.referrersApi()));
      RegistryServer server;
      try {
        server = RegistryServer.listen(options.listen(), endpoints::handle, accesses);
      } catch (IOException e) {
        events.close();
        throw e;
      }
      String address = address(options.listen(), server.port());
      return new SmallRegistry(server, events, accesses, layout, address);
    } catch (IOException e) {
      layout.close();
      throw e;
    }
  }

  private static String address(InetSocketAddress listen, int port) {
    InetAddress to = listen.getAddress();
    boolean local =
        to != null && (to.isAnyLocalAddress() || to.equals(InetAddress.getLoopbackAddress()));
    String host = local ? "127.0.0.1" : listen.getHostString();
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
  }

  public int port() {
    return server.port();
  }

  /** How references name it: {@code 127.0.0.1:<port>}. */
  public String host() {
    return address;
  }

  /** From now on events go there; the ones that no earlier target took as well. */
  public void notify(Notifications notifications) {
    events.target(notifications);
  }

  /** The bytes of blobs sent to clients whose User-Agent begins so, since the start. */
  public long bytesServed(String userAgentPrefix) {
    return accesses.bytesServed(userAgentPrefix);
  }

  /**
   * The last 10,000 requests that were answered, oldest first. A request is among them before its
   * client has the whole answer.
   */
  public List<Access> accesses() {
    return accesses.recent();
  }

  /** Ends running requests. Events that nobody took yet stay for the next start. */
  @Override
  public void close() {
    server.close();
    events.close();
    layout.close();
  }
}
