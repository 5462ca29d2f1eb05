package dev.socifleet.cli;

import dev.socifleet.cli.convert.Vectors;
import dev.socifleet.embedded.registry.SmallRegistry;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.Repository;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.testing.DockerRegistryProcess;
import dev.socifleet.testing.Needs;
import dev.socifleet.testing.OpenRegistries;
import dev.socifleet.testing.PushedLayout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A registry on loopback that is open to everybody, and takes images of {@link Vectors}, as a rule
 * into its repository {@code app}.
 */
public final class RegistryWithImages<S> implements AutoCloseable {
  private final Path directory;
  private final S server;
  private final Runnable stop;
  private final String host;
  private final HttpRegistries registries;
  private final Vectors vectors = new Vectors();

  private RegistryWithImages(Path directory, S server, Runnable stop, String host)
      throws IOException {
    this.directory = directory;
    this.server = server;
    this.stop = stop;
    this.host = host;
    registries = OpenRegistries.at(host);
  }

  /** One with the Referrers API. */
  public static RegistryWithImages<SmallRegistry> small(Path directory) throws IOException {
    return small(directory, /* referrersApi= */ true);
  }

  public static RegistryWithImages<SmallRegistry> small(Path directory, boolean referrersApi)
      throws IOException {
    SmallRegistry server =
        SmallRegistry.start(
            SmallRegistry.Options.in(directory.resolve("registry")).withReferrersApi(referrersApi));
    return new RegistryWithImages<>(directory, server, server::close, server.host());
  }

  /** Debian's, which has no Referrers API; skips the test where it isn't installed. */
  public static RegistryWithImages<DockerRegistryProcess> docker(Path directory)
      throws IOException, InterruptedException {
    Needs.programs("docker-registry");
    DockerRegistryProcess server =
        DockerRegistryProcess.start(Files.createDirectory(directory.resolve("registry")));
    return new RegistryWithImages<>(directory, server, server::close, server.host());
  }

  public S server() {
    return server;
  }

  public Repository app() throws IOException {
    return repository("app");
  }

  public Repository repository(String name) throws IOException {
    return registries.repository(RepositoryName.parse(host + "/" + name));
  }

  /** How commands name an image in {@code app}. */
  public String app(String tag) {
    return reference("app", tag);
  }

  public String reference(String repository, String tag) {
    return host + "/" + repository + ":" + tag;
  }

  /** Pushes an image into {@code app}; its layout is below the directory, under its name. */
  public Descriptor push(String image, String tag) throws IOException {
    return push(image, app(), tag);
  }

  public Descriptor push(String image, Repository repository, String tag) throws IOException {
    Path layout = directory.resolve(image);
    if (!Files.exists(layout)) {
      vectors.copy(image, layout);
    }
    PushedLayout.push(layout, repository, tag);
    return repository.headManifest(tag).orElseThrow();
  }

  @Override
  public void close() {
    registries.close();
    stop.run();
  }
}
