package dev.socifleet.cacheclient;

import dev.socifleet.oci.Digest;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Comparator;
import java.util.List;

/**
 * Which member keeps what, by rendezvous hashing (highest random weight): each member's weight for
 * a key is a hash of both, and the members are asked in the order of their weights. All who know
 * the same members agree, and a member that comes or goes moves only its own share.
 *
 * <p>Spans are placed by segments of {@value #SEGMENT_BYTES} bytes of their blob, not one by one:
 * neighbours stay together, and a run of them is one request here and one at the registry.
 */
public final class Placement {
  /** Compressed bytes of a blob that are placed together. */
  public static final long SEGMENT_BYTES = 32 << 20;

  private record Weighted(URI member, long weight) {}

  private final List<URI> members;

  public Placement(List<URI> members) {
    this.members = members.stream().distinct().toList();
  }

  /** The members, first choice first. */
  public List<URI> order(String key) {
    return members.stream()
        .map(member -> new Weighted(member, weight(member, key)))
        .sorted(
            Comparator.comparing(Weighted::weight, Long::compareUnsigned)
                .reversed()
                .thenComparing(weighted -> weighted.member().toString()))
        .map(Weighted::member)
        .toList();
  }

  /** The key of the span that begins at this byte of the blob. */
  public static String ofSpan(Digest blob, long start) {
    return blob + "/" + start / SEGMENT_BYTES;
  }

  /** The key of a layer's zTOC and of the lease on building it. */
  public static String ofZtoc(Digest layer, long spanSizeBytes) {
    return layer + "/ztoc/" + spanSizeBytes;
  }

  private static long weight(URI member, String key) {
    MessageDigest sha256 = Digest.newSha256();
    sha256.update(member.toString().getBytes(StandardCharsets.UTF_8));
    sha256.update((byte) 0);
    return ByteBuffer.wrap(sha256.digest(key.getBytes(StandardCharsets.UTF_8))).getLong();
  }
}
