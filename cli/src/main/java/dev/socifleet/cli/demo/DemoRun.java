package dev.socifleet.cli.demo;

import dev.socifleet.cli.Lifetime;
import dev.socifleet.cli.Sizes;
import dev.socifleet.cli.up.Stack;
import dev.socifleet.events.ImageOutcome;
import dev.socifleet.node.control.ControlClient;
import dev.socifleet.oci.Credentials;
import dev.socifleet.oci.DockerConfigCredentials;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.RegistriesConfig;
import dev.socifleet.oci.Repository;
import dev.socifleet.oci.RepositoryName;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/** One run, from making the image to the numbers. */
final class DemoRun {
  private static final String TAG = "1.0";
  private static final Duration INDEXED = Duration.ofMinutes(5);
  private static final String AGENT = "soci-demo/1.0.0";

  private final Stack stack;
  private final Lifetime life;
  private final JdkImage content;
  private final Path scratch;
  private final Narration narration;
  private final RepositoryName name;

  /**
   * @param scratch a directory for what the run needs on its way
   */
  DemoRun(Stack stack, Lifetime life, JdkImage content, Path scratch, Narration narration) {
    this.stack = stack;
    this.life = life;
    this.content = content;
    this.scratch = scratch;
    this.narration = narration;
    name = new RepositoryName(stack.registry().host(), "soci-demo/java");
  }

  DemoResult run() throws IOException, InterruptedException {
    Repository repository = repository();
    PipelineEvents events =
        life.start(() -> PipelineEvents.follow(stack.kafka(), name, TAG, narration::say));
    DemoImage image = make();
    events.name(image);
    Duration indexed = pushAndAwait(image, repository, events);
    LazyStart lazy = lazy();
    return new DemoResult(
        name + ":" + TAG,
        image.layers().size(),
        image.size(),
        image.uncompressedSize(),
        lazy.bytes(),
        image.size(), // every layer, whole
        indexed,
        lazy.mounted(),
        lazy.toFirstOutput(),
        full(repository),
        lazy.warm());
  }

  private Repository repository() throws IOException, InterruptedException {
    Credentials credentials =
        stack.ownRegistry().isPresent() ? Credentials.NONE : DockerConfigCredentials.standard();
    HttpRegistries registries =
        life.start(() ->
            HttpRegistries.open(
                new RegistriesConfig(List.of(stack.registry()), credentials, AGENT)));
    return registries.repository(name);
  }

  private DemoImage make() throws IOException, InterruptedException {
    narration.say("image    made from this machine's JDK, its libraries and this program's jars");
    DemoImage image =
        content.make(
            scratch.resolve("layers"),
            layer ->
                narration.detail(
                    "layer "
                        + layer.name()
                        + ": "
                        + Sizes.megabytes(layer.size())
                        + ", unpacked "
                        + Sizes.megabytes(layer.uncompressedSize())));
    narration.say(
        "image    " + Sizes.megabytes(image.size()) + " in " + image.layers().size() + " layers");
    return image;
  }

  private Duration pushAndAwait(DemoImage image, Repository repository, PipelineEvents events)
      throws IOException, InterruptedException {
    narration.say("push     to " + name + ":" + TAG);
    image.push(repository, TAG);
    Instant pushed = Instant.now();
    narration.say("push     done: " + image.digest());
    if (stack.ownRegistry().isEmpty()) {
      Announcement.send(stack.webhook(), stack.token().authorization(), name, TAG, image.digest());
    }
    TemporaryDirectory.remove(scratch.resolve("layers"));
    ImageOutcome outcome = events.await(image.digest(), INDEXED);
    if (!outcome.status().equals("published")) {
      throw new IOException("the image was not indexed: " + outcome.reason());
    }
    return Duration.between(pushed, outcome.publishedAt());
  }

  private LazyStart lazy() throws IOException, InterruptedException {
    narration.say("lazy     mount the image, then run java -version");
    ControlClient node =
        new ControlClient(
            stack.nodeControl().orElseThrow(() -> new IOException("the demo needs the node")));
    LazyStart lazy = LazyStart.of(node, name + ":" + TAG, scratch.resolve("lazy"), life);
    narration.say("lazy     mounted in " + Sizes.seconds(lazy.mounted()));
    lazy.text().lines().forEach(narration::detail);
    return lazy;
  }

  private Duration full(Repository repository) throws IOException, InterruptedException {
    narration.say("full     download and unpack all layers, then run java -version");
    long started = System.nanoTime();
    Path root = scratch.resolve("full/root");
    FullPull.pull(repository, TAG, scratch.resolve("full/layers"), root);
    Duration pulled = Duration.ofNanos(System.nanoTime() - started);
    narration.say("full     downloaded and unpacked in " + Sizes.seconds(pulled));
    FirstOutput output = FirstOutput.of(root, JdkImage.COMMAND);
    output.text().lines().forEach(narration::detail);
    TemporaryDirectory.remove(scratch.resolve("full"));
    return pulled.plus(output.toFirstOutput());
  }
}
