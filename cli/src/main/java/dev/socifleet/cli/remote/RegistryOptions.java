package dev.socifleet.cli.remote;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.Soci;
import dev.socifleet.oci.Credential;
import dev.socifleet.oci.Credentials;
import dev.socifleet.oci.DockerConfigCredentials;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.ImageReference;
import dev.socifleet.oci.RegistriesConfig;
import dev.socifleet.oci.RegistryHost;
import java.io.Console;
import java.net.URI;
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

  // The existing tool takes these, and nerdctl passes some; there they have no effect.
  @Option(
      names = {"-k", "--skip-verify"},
      hidden = true)
  private boolean skipVerify;

  @Option(names = "--hosts-dir", hidden = true)
  @SuppressWarnings("UnusedVariable") // nerdctl passes it always
  private List<String> hostsDirs = new ArrayList<>();

  @Option(
      names = {"--tlscacert", "--tlscert", "--tlskey"},
      hidden = true)
  private List<String> tls = new ArrayList<>();

  @Option(names = "--refresh", hidden = true)
  private @Nullable String refresh;

  @Option(
      names = {"--http-dump", "--http-trace"},
      hidden = true)
  private boolean trace;

  /** Opens a client that may talk to the image's registry, and to no other. */
  public HttpRegistries open(ImageReference image) {
    RegistryHost host = RegistryHost.of(image.repository().registry());
    if (plainHttp) {
      URI plain = URI.create("http://" + host.base().getAuthority());
      host = new RegistryHost(host.host(), plain, host.repositories(), host.privateRedirects());
    }
    return HttpRegistries.open(
        new RegistriesConfig(List.of(host), credentials(), "soci-fleet-cli/" + Soci.VERSION));
  }

  /** What was asked for and isn't done; empty if nothing. */
  public Optional<String> withoutEffect() {
    boolean verified = skipVerify && !plainHttp;
    return verified || !tls.isEmpty() || refresh != null || trace
        ? Optional.of(
            "--skip-verify, --tls…, --refresh and --http-… have no effect yet; certificates are"
                + " those that Java trusts")
        : Optional.empty();
  }

  private Credentials credentials() {
    if (user == null) {
      return DockerConfigCredentials.standard();
    }
    int colon = user.indexOf(':');
    String name = colon < 0 ? user : user.substring(0, colon);
    String password = colon < 0 ? ask(name) : user.substring(colon + 1);
    return repository -> new Credential.Basic(name, password);
  }

  private static String ask(String name) {
    return Optional.ofNullable(System.console())
        .filter(Console::isTerminal)
        .map(console -> console.readPassword("Password of %s: ", name))
        .map(String::new)
        .orElseThrow(() ->
            new CommandFailure(
                "--user " + name + " needs a password: --user " + name + ":PASSWORD", 2));
  }
}
