package dev.socifleet.cacheclient;

import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import java.util.Optional;

/**
 * What spans are asked for, but for the spans.
 *
 * @param registryAuthorization the Authorization header by which the registry lets the caller pull
 */
public record SpanQuestion(
    RepositoryName repository, Digest blob, Optional<String> registryAuthorization, Terms terms) {

  /** What a member may do to answer. */
  public enum Terms {
    /** Whatever it takes. */
    ANY,
    /** Give what it has; its silence costs the registry nothing. */
    ONLY_IF_CACHED,
    /** Whatever it takes but asking another member. */
    FORWARDED
  }

  public SpanQuestion on(Terms others) {
    return new SpanQuestion(repository, blob, registryAuthorization, others);
  }

  @Override
  public String toString() {
    return "SpanQuestion[" + repository + ", " + blob + ", " + terms + "]";
  }
}
