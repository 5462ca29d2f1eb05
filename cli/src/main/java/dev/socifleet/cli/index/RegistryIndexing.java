package dev.socifleet.cli.index;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.build.BuildOutput;
import dev.socifleet.cli.build.IndexOptions;
import dev.socifleet.cli.referrers.CopiedReferrers;
import dev.socifleet.cli.remote.KnownZtocs;
import dev.socifleet.cli.remote.RemoteImage;
import dev.socifleet.cli.remote.RepositoryLayers;
import dev.socifleet.cli.remote.RepositoryZtocs;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.Platforms;
import dev.socifleet.oci.Repository;
import dev.socifleet.sociindex.PlatformChoice.Chosen;
import dev.socifleet.sociindex.SociIndex;
import dev.socifleet.sociindex.V2Conversion.Converted;
import dev.socifleet.sociindex.V2Conversion.Indexed;
import dev.socifleet.sociindex.build.IndexBuilder;
import dev.socifleet.sociindex.publish.IndexPublisher;
import dev.socifleet.sociindex.publish.Successors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Builds an image's indexes at its registry. zTOCs go there as they are built; what refers to them
 * follows when all are there, the tag last.
 */
final class RegistryIndexing {
  private final Repository repository;
  private final IndexPublisher publisher;
  private final BuildOutput output;
  private final ObjectNode json = new JsonMapper().createObjectNode();

  RegistryIndexing(Repository repository, BuildOutput output) {
    this.repository = repository;
    this.output = output;
    publisher = new IndexPublisher(repository);
  }

  /** An image with what its index holds. */
  private record Built(Chosen image, IndexBuilder.Parts parts) {}

  void run(RegistryIndexRequest request) throws IOException {
    RemoteImage image = RemoteImage.find(repository, request.image());
    ManifestBlob target = image.target();
    List<Chosen> chosen = image.chosen(request.platforms());
    output.expect(chosen, request.rules().minLayerSize());
    IndexBuilder builder =
        new IndexBuilder(
            new RepositoryLayers(repository),
            new RepositoryZtocs(repository, new KnownZtocs(repository, target)),
            request.rules(),
            output);
    List<Built> built = new ArrayList<>();
    for (Chosen one : chosen) {
      IndexBuilder.Parts parts = builder.build(one.image().manifest());
      if (!parts.ztocs().isEmpty()) {
        built.add(new Built(one, parts));
      }
    }
    if (built.isEmpty()) {
      throw IndexOptions.nothingIndexed();
    }
    publisher.putConfig();
    json.put("image", request.image().toString()).put("digest", target.digest().toString());
    Optional<String> refusal = request.v1() ? publishV1(built) : Optional.empty();
    refusal.ifPresent(output::warn);
    Digest published = target.digest();
    if (request.v2Tag().isPresent()) {
      published = publishV2(image, built, request, request.v2Tag().get());
    } else if (refusal.isPresent()) {
      throw new CommandFailure("nothing was published; use --index-version v2");
    }
    output.result(published.toString(), json);
  }

  private Optional<String> publishV1(List<Built> built) throws IOException {
    for (Built one : built) {
      Descriptor image = one.image().image().descriptor();
      ManifestBlob index =
          SociIndex.v1(one.parts().ztocs(), image)
              .withPrefetches(one.parts().prefetches())
              .manifest();
      Optional<String> refused = publisher.v1(image.digest(), index);
      if (refused.isPresent()) {
        return refused;
      }
      output.line("published v1 index " + index.digest() + " of " + image.digest());
      json.withArrayProperty("v1")
          .addObject()
          .put("platform", Platforms.text(one.image().platform()))
          .put("manifest", image.digest().toString())
          .put("index", index.digest().toString());
    }
    return Optional.empty();
  }

  private Digest publishV2(
      RemoteImage image, List<Built> built, RegistryIndexRequest request, String tag)
      throws IOException {
    List<Indexed> indexed = new ArrayList<>();
    for (Built one : built) {
      indexed.add(
          new Indexed(
              one.image().image().descriptor().digest(),
              one.image().platform(),
              SociIndex.v2(one.parts().ztocs())
                  .withPrefetches(one.parts().prefetches())
                  .manifest()));
    }
    ManifestBlob target = image.target();
    Converted converted = publisher.v2(target, image.documents(), indexed);
    ObjectNode v2 = json.putObject("v2");
    if (request.referrers().isPresent()) {
      new CopiedReferrers(output, v2.putArray("referrers"))
          .copy(
              repository, repository, request.referrers().get(), Successors.of(target, converted));
    }
    if (request.image().digest() == null
        && !publisher.pointsAt(request.image().tagOrDigest(), target.digest())) {
      throw new CommandFailure(
          request.image() + " was pushed anew meanwhile, so " + tag + " wasn't set; run it again");
    }
    publisher.tag(tag, converted.root());
    v2.put("tag", tag).put("image", converted.root().digest().toString());
    ObjectNode replaced = v2.putObject("replaced");
    for (Map.Entry<Digest, Digest> change : converted.replaced().entrySet()) {
      replaced.put(change.getKey().toString(), change.getValue().toString());
      if (!change.getKey().equals(change.getValue())) {
        output.line("manifest " + change.getKey() + " -> " + change.getValue());
      }
    }
    output.line("image " + target.digest() + " -> " + converted.root().digest());
    output.line("published v2 image " + repository.name() + ":" + tag);
    return converted.root().digest();
  }
}
