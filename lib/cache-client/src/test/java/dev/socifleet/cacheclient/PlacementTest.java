package dev.socifleet.cacheclient;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.oci.Digest;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PlacementTest {
  private static final List<URI> MEMBERS =
      IntStream.range(0, 5).mapToObj(i -> URI.create("http://cache-" + i + ":7720")).toList();
  private static final List<String> KEYS =
      IntStream.range(0, 2_000).mapToObj(i -> "key " + i).toList();

  @Test
  void allWhoKnowTheSameMembersAgree() {
    List<URI> shuffled = new ArrayList<>(MEMBERS);
    Collections.shuffle(shuffled, new Random(1));
    shuffled.add(MEMBERS.getFirst());
    for (String key : KEYS) {
      assertThat(new Placement(shuffled).order(key)).isEqualTo(new Placement(MEMBERS).order(key));
    }
  }

  @Test
  void eachMemberKeepsItsShare() {
    Map<URI, Integer> shares = new HashMap<>();
    Placement placement = new Placement(MEMBERS);
    KEYS.forEach(key -> shares.merge(placement.order(key).getFirst(), 1, Integer::sum));
    assertThat(shares)
        .hasSize(5)
        .allSatisfy((member, share) -> assertThat(share).isBetween(300, 500));
  }

  @Test
  void aMemberThatGoesMovesOnlyItsOwnKeysToTheirSecondChoices() {
    Placement all = new Placement(MEMBERS);
    Placement fewer = new Placement(MEMBERS.subList(0, 4));
    for (String key : KEYS) {
      List<URI> order = new ArrayList<>(all.order(key));
      order.remove(MEMBERS.getLast());
      assertThat(fewer.order(key)).isEqualTo(order);
    }
  }

  @Test
  void neighboursAreKeptTogether() {
    Digest blob = Digest.of(new byte[1]);
    assertThat(Placement.ofSpan(blob, 0))
        .isEqualTo(Placement.ofSpan(blob, Placement.SEGMENT_BYTES - 1))
        .isNotEqualTo(Placement.ofSpan(blob, Placement.SEGMENT_BYTES));
  }
}
