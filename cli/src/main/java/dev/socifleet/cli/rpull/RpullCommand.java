package dev.socifleet.cli.rpull;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.ContainerdOptions;
import dev.socifleet.cli.ContainerdOptions.Containerd;
import dev.socifleet.cli.Interruptible;
import dev.socifleet.cli.Soci;
import dev.socifleet.containerd.ContainerdChannel;
import dev.socifleet.oci.Credential;
import dev.socifleet.oci.Credentials;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.DockerConfigCredentials;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.ImageReference;
import dev.socifleet.oci.Platforms;
import dev.socifleet.oci.RegistriesConfig;
import dev.socifleet.oci.RegistryHost;
import java.io.Console;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code soci rpull}: the image can be run before its layers are downloaded. */
@Command(
    name = "rpull",
    mixinStandardHelpOptions = true,
    description = {
      "Pull an image through containerd so that its layers are read when they are needed.",
      "Layers without a zTOC are downloaded and unpacked."
    },
    footer = {
      "",
      "Example:",
      "  soci rpull localhost:5000/app:1.0",
      "  ctr run --rm --snapshotter soci localhost:5000/app:1.0 app1"
    })
public final class RpullCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @ParentCommand private @Nullable Soci soci;
  @Mixin private ContainerdOptions containerd = new ContainerdOptions();

  @Parameters(paramLabel = "REF", description = "The image, e.g. registry.example/team/app:1.0.")
  private String reference = "";

  @Option(
      names = "--snapshotter",
      paramLabel = "NAME",
      defaultValue = "${env:CONTAINERD_SNAPSHOTTER:-soci}",
      description = "containerd's name of the snapshotter ($CONTAINERD_SNAPSHOTTER, soci).")
  private String snapshotter = "soci";

  @Option(
      names = {"-p", "--platform"},
      paramLabel = "OS/ARCH[/VARIANT]",
      description = "The platform to pull (this machine's).")
  private @Nullable String platform;

  @Option(
      names = "--soci-index-digest",
      paramLabel = "DIGEST",
      description = "The SOCI index to use, instead of the one that is found.")
  private @Nullable String index;

  @Option(
      names = {"-u", "--user"},
      paramLabel = "USER[:PASSWORD]",
      description = "Log in with these; otherwise Docker's configuration is asked.")
  private @Nullable String user;

  @Option(names = "--plain-http", description = "The registry has no TLS.")
  private boolean plainHttp;

  @Option(
      names = {"-q", "--quiet"},
      description = "Print only the image's digest.")
  private boolean quiet;

  @Option(names = "--json", description = "Print one JSON object at the end.")
  private boolean json;

  @Override
  public Integer call() throws Exception {
    Containerd target =
        containerd.resolve(
            soci == null ? new ContainerdOptions() : soci.containerd(), System.getenv());
    PullRequest request =
        new PullRequest(
            parse("REF", reference, ImageReference::parse),
            Optional.ofNullable(platform).map(text -> parse("--platform", text, Platforms::parse)),
            Optional.ofNullable(index)
                .map(text -> parse("--soci-index-digest", text, Digest::parse)),
            target.namespace(),
            snapshotter);
    PullOutput output =
        new PullOutput(
            spec.commandLine().getOut(),
            json ? PullOutput.Form.JSON : quiet ? PullOutput.Form.QUIET : PullOutput.Form.LINES,
            terminal().isPresent());
    try (ContainerdChannel channel = target.open();
        HttpRegistries registries = HttpRegistries.open(registry(request.image()))) {
      PullResult result =
          Interruptible.run(
              "the pull",
              target.timeout(),
              new Pull(
                      request, channel, registries.repository(request.image().repository()), output)
                  ::run);
      output.done(result, request);
      return 0;
    } catch (IOException e) {
      output.erase();
      throw PullFailures.explain(e, request);
    } catch (CommandFailure e) {
      output.erase();
      throw e;
    }
  }

  private RegistriesConfig registry(ImageReference image) {
    RegistryHost host = RegistryHost.of(image.repository().registry());
    if (plainHttp) {
      URI plain = URI.create("http://" + host.base().getAuthority());
      host = new RegistryHost(host.host(), plain, host.repositories(), host.privateRedirects());
    }
    return new RegistriesConfig(List.of(host), credentials(), "soci-fleet-rpull/" + Soci.VERSION);
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
    return terminal()
        .map(console -> console.readPassword("Password of %s: ", name))
        .map(String::new)
        .orElseThrow(() ->
            new CommandFailure(
                "--user " + name + " needs a password: --user " + name + ":PASSWORD"));
  }

  private static Optional<Console> terminal() {
    return Optional.ofNullable(System.console()).filter(Console::isTerminal);
  }

  private <T> T parse(String what, String text, Function<String, T> parser) {
    try {
      return parser.apply(text);
    } catch (IllegalArgumentException e) {
      throw new CommandLine.ParameterException(spec.commandLine(), what + ": " + e.getMessage());
    }
  }
}
