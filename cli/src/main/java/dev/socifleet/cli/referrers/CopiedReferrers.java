package dev.socifleet.cli.referrers;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.socifleet.cli.build.BuildOutput;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.Repository;
import dev.socifleet.sociindex.publish.ReferrerCopy;
import dev.socifleet.sociindex.publish.ReferrerCopy.Copied;
import dev.socifleet.sociindex.publish.ReferrerCopy.Referrer;
import dev.socifleet.sociindex.publish.Successors.Successor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/** Copies the referrers of a whole image and tells of each, old digest and new. */
public final class CopiedReferrers implements ReferrerCopy.Listener {
  // cosign, old and new, sigstore bundles, notation
  private static final Pattern SIGNATURE =
      Pattern.compile(".*(signature|\\.sig\\.|simplesigning|sigstore).*");

  private final BuildOutput output;
  private final ArrayNode json;
  private final Set<Digest> leftOut = new LinkedHashSet<>();
  private final List<Copied> copied = new ArrayList<>();

  /**
   * @param json where each copy is added
   */
  public CopiedReferrers(BuildOutput output, ArrayNode json) {
    this.output = output;
    this.json = json;
  }

  /**
   * Copies what refers to each old manifest to the new one, which is there.
   *
   * @param types empty for all
   */
  public void copy(Repository from, Repository to, Set<String> types, List<Successor> successors)
      throws IOException {
    ReferrerCopy copy = new ReferrerCopy(from, to, types, this);
    for (Successor successor : successors) {
      copy.copy(successor.old(), successor.now());
    }
    if (copied.isEmpty()) {
      output.line("no referrers to copy");
    }
    long signatures =
        copied.stream().filter(one -> SIGNATURE.matcher(one.type()).matches()).count();
    if (signatures > 0) {
      output.warn(
          signatures
              + " of the copied referrers are signatures, made of the old digests: they don't"
              + " verify for the new ones; sign the new image");
    }
  }

  /** Says what {@link #copy} would copy; writes nothing. */
  public void plan(Repository from, Set<String> types, Iterable<Digest> subjects)
      throws IOException {
    ReferrerCopy copy = new ReferrerCopy(from, from, types, this);
    for (Digest subject : subjects) {
      for (Referrer referrer : copy.of(subject)) {
        output.line(
            "would copy referrer %s of %s (%s)"
                .formatted(referrer.manifest().digest(), subject, referrer.type()));
        json.addObject()
            .put("type", referrer.type())
            .put("from", referrer.manifest().digest().toString())
            .put("subject", subject.toString());
      }
    }
  }

  @Override
  public void copied(Copied one) {
    copied.add(one);
    output.line(
        "referrer %s -> %s of %s (%s)".formatted(one.from(), one.to(), one.subject(), one.type()));
    json.addObject()
        .put("type", one.type())
        .put("from", one.from().toString())
        .put("to", one.to().toString())
        .put("subject", one.subject().toString());
  }

  @Override
  public void leftOut(Digest referrer, String reason) {
    if (leftOut.add(referrer)) {
      output.warn("referrer " + referrer + " wasn't copied: " + reason);
    }
  }
}
