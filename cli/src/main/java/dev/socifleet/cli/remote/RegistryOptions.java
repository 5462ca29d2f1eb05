package dev.socifleet.cli.remote;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.Soci;
import dev.socifleet.cli.Terminal;
import dev.socifleet.oci.Credential;
import dev.socifleet.oci.Credentials;
import dev.socifleet.oci.DockerConfigCredentials;
import dev.socifleet.oci.HostsDirectory;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.ImageReference;
import dev.socifleet.oci.RegistriesConfig;
import dev.socifleet.oci.RegistryHost;
import dev.socifleet.oci.Timeouts;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How a command talks to a registry. */
public final class RegistryOptions {
  @Option(
      names = {"-u", "--user"},
      paramLabel = "USER[:PASSWORD]",
      description = "Log in with these; otherwise Docker's configuration is asked.")
  private @Nullable String user;

  @Option(names = "--plain-http", description = "The registry has no TLS.")
  private boolean plainHttp;

  @Option(
      names = {"-k", "--skip-verify"},
      description = "Don't check the registry's certificate.")
  private boolean skipVerify;

  @Option(
      names = "--hosts-dir",
      paramLabel = "DIR",
      split = ",",
      description =
          "Where mirrors and certificates of registries are described (/etc/containerd/certs.d,"
              + " /etc/docker/certs.d).")
  private List<Path> hostsDirs = new ArrayList<>();

  @Option(
      names = "--tlscacert",
      paramLabel = "FILE",
      description = "The authority that signed the registry's certificate.")
  private @Nullable Path tlsCa;

  @Option(names = "--tlscert", paramLabel = "FILE", description = "Our certificate.")
  private @Nullable Path tlsCertificate;

  @Option(names = "--tlskey", paramLabel = "FILE", description = "Its key.")
  private @Nullable Path tlsKey;

  @Option(
      names = "--refresh",
      paramLabel = "TOKEN",
      description = "Log in with this refresh token.")
  private @Nullable String refresh;

  // The existing tool takes these and uses them for nothing; --debug shows requests.
  @Option(names = "--http-dump", hidden = true)
  @SuppressWarnings("UnusedVariable")
  private boolean dump;

  @Option(names = "--http-trace", hidden = true)
  @SuppressWarnings("UnusedVariable")
  private boolean trace;

  /** Opens a client that may talk to the image's registry, and to no other. */
  public HttpRegistries open(ImageReference image) {
    RegistryHost host = RegistryHost.of(image.repository().registry());
    if (plainHttp || tlsIsDescribed()) {
      // Without either, a registry of this machine has no TLS and any other has.
      URI base = URI.create((plainHttp ? "http://" : "https://") + host.base().getAuthority());
      host = new RegistryHost(host.host(), base, host.repositories(), host.privateRedirects());
    }
    return HttpRegistries.open(
        new RegistriesConfig(
            List.of(host),
            credentials(),
            "soci-fleet-cli/" + Soci.VERSION,
            Timeouts.STANDARD,
            hosts()));
  }

  private boolean tlsIsDescribed() {
    return skipVerify || tlsCa != null || tlsCertificate != null;
  }

  private HostsDirectory hosts() {
    if ((tlsCertificate == null) != (tlsKey == null)) {
      throw new CommandFailure("--tlscert and --tlskey need each other", 2);
    }
    HostsDirectory described =
        hostsDirs.isEmpty() ? HostsDirectory.standard() : new HostsDirectory(hostsDirs);
    return described.withTls(
        readable(tlsCa).stream().toList(), readable(tlsCertificate), readable(tlsKey), skipVerify);
  }

  private static Optional<Path> readable(@Nullable Path file) {
    if (file != null && !Files.isReadable(file)) {
      throw new CommandFailure("cannot read " + file + ", which --tls… names");
    }
    return Optional.ofNullable(file);
  }

  private Credentials credentials() {
    String token = refresh;
    if (token != null) {
      return repository -> new Credential.IdentityToken(token);
    }
    if (user == null) {
      return DockerConfigCredentials.standard();
    }
    int colon = user.indexOf(':');
    String name = colon < 0 ? user : user.substring(0, colon);
    String password = colon < 0 ? ask(name) : user.substring(colon + 1);
    return repository -> new Credential.Basic(name, password);
  }

  private static String ask(String name) {
    return Terminal.find()
        .map(console -> console.readPassword("Password of %s: ", name))
        .map(String::new)
        .orElseThrow(() ->
            new CommandFailure(
                "--user " + name + " needs a password: --user " + name + ":PASSWORD", 2));
  }
}
