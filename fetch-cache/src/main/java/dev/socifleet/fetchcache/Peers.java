package dev.socifleet.fetchcache;

import dev.socifleet.cacheclient.CacheMember;
import dev.socifleet.cacheclient.CacheMembers;
import dev.socifleet.cacheclient.Placement;
import dev.socifleet.oci.Digest;
import java.net.URI;
import java.util.Optional;

/**
 * The other members. A span's first choice is asked before the registry, so that two members that
 * are asked for the same one cost the registry one fetch. Thread-safe.
 */
final class Peers implements AutoCloseable {
  /** A cache of one. */
  static final Peers NONE = new Peers(Optional.empty());

  private record Others(CacheMembers members, Placement placement, URI self) {}

  private final Optional<Others> others;

  private Peers(Optional<Others> others) {
    this.others = others;
  }

  /**
   * @param self our own address among the placement's
   */
  static Peers of(CacheMembers members, Placement placement, URI self) {
    return new Peers(Optional.of(new Others(members, placement, self)));
  }

  /** Who keeps the span that begins here, if that is somebody else who may be asked. */
  Optional<CacheMember> keeper(Digest blob, long start) {
    if (others.isEmpty()) {
      return Optional.empty();
    }
    URI first = others.get().placement().order(Placement.ofSpan(blob, start)).getFirst();
    if (first.equals(others.get().self())) {
      return Optional.empty();
    }
    CacheMember member = others.get().members().member(first);
    return member.quiet() ? Optional.empty() : Optional.of(member);
  }

  /** Whether spans that begin at these bytes of a blob are kept by the same member. */
  boolean together(Digest blob, long start, long other) {
    return others.isEmpty() || Placement.ofSpan(blob, start).equals(Placement.ofSpan(blob, other));
  }

  @Override
  public void close() {
    others.ifPresent(some -> some.members().close());
  }
}
