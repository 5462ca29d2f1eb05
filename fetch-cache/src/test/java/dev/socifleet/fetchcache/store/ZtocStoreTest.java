package dev.socifleet.fetchcache.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.oci.ByteRange;
import dev.socifleet.oci.Digest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ZtocStoreTest {
  private static final long LIMIT = 64L << 20;
  private static final Digest LAYER = Digest.of(new byte[] {1});
  private static final Digest FIRST = Digest.of(new byte[] {2});
  private static final Digest SECOND = Digest.of(new byte[] {3});
  private static final ByteRange RANGE = new ByteRange(10, 1000);

  @TempDir Path directory;

  private static SpanTable spans() {
    return new SpanTable.Builder(2)
        .add(RANGE, FIRST.hash())
        .add(new ByteRange(999, 5000), SECOND.hash())
        .build();
  }

  @Test
  void aZtocIsThereInPiecesAlsoAfterReopening() throws Exception {
    byte[] ztoc = TestStore.randomBytes(1, (9 << 20) + 17);
    try (TestStore store = new TestStore(directory, LIMIT)) {
      store.ztocs.put(LAYER, 4096, "tool", ztoc, spans());
    }
    try (TestStore store = new TestStore(directory, LIMIT)) {
      ZtocRecord found = store.ztocs.find(LAYER, 4096, "tool").orElseThrow();
      assertThat(found.digest()).isEqualTo(Digest.of(ztoc));
      assertThat(found.size()).isEqualTo(ztoc.length);
      int at = 0;
      for (Digest piece : found.pieces()) {
        byte[] bytes = Objects.requireNonNull(store.get(piece));
        assertThat(bytes).hasSizeLessThanOrEqualTo(4 << 20);
        assertThat(Arrays.copyOfRange(ztoc, at, at + bytes.length)).isEqualTo(bytes);
        at += bytes.length;
      }
      assertThat(at).isEqualTo(ztoc.length);
      assertThat(store.ztocs.find(LAYER, 4097, "tool")).isEmpty();
      assertThat(store.ztocs.find(LAYER, 4096, "other tool")).isEmpty();
      assertThat(store.ztocs.find(FIRST, 4096, "tool")).isEmpty();
    }
  }

  @Test
  void itProvesExactlyItsSpans() throws Exception {
    try (TestStore store = new TestStore(directory, LIMIT)) {
      assertThat(store.ztocs.provedDigest(LAYER, RANGE)).isEmpty();
      store.ztocs.put(LAYER, 4096, "tool", new byte[] {1}, spans());
      assertThat(store.ztocs.provedDigest(LAYER, RANGE)).contains(FIRST);
      assertThat(store.ztocs.provedDigest(LAYER, new ByteRange(999, 5000))).contains(SECOND);
      assertThat(store.ztocs.provedDigest(LAYER, new ByteRange(10, 999))).isEmpty();
      assertThat(store.ztocs.provedDigest(LAYER, new ByteRange(9, 1000))).isEmpty();
      assertThat(store.ztocs.provedDigest(FIRST, RANGE)).isEmpty();
    }
    try (TestStore store = new TestStore(directory, LIMIT)) {
      assertThat(store.ztocs.provedDigest(LAYER, RANGE)).contains(FIRST);
    }
  }

  @Test
  void aZtocWhosePiecesHadToGoIsGoneAndProvesNothing() throws Exception {
    try (TestStore store = new TestStore(directory, LIMIT)) {
      byte[] ztoc = TestStore.randomBytes(1, 1 << 20);
      store.ztocs.put(LAYER, 4096, "tool", ztoc, spans());
      store.values.drop(Digest.of(ztoc));
      store.ztocs.deleteGone();
      assertThat(store.ztocs.find(LAYER, 4096, "tool")).isEmpty();
    }
    try (TestStore store = new TestStore(directory, LIMIT)) {
      assertThat(store.ztocs.provedDigest(LAYER, RANGE)).isEmpty();
    }
  }

  @Test
  void recordsOfAnyShapeAreReadOrRefusedButNeverThrow() {
    long seed = 4711;
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    byte[] entry = new SpanEntry(77, List.of(new Proof(LAYER, 5))).encode();
    byte[] ztoc = new ZtocRecord(LAYER, 5, List.of(FIRST, SECOND), spans()).encode();
    assertThat(SpanEntry.decode(entry)).isEqualTo(new SpanEntry(77, List.of(new Proof(LAYER, 5))));
    ZtocRecord decoded = Objects.requireNonNull(ZtocRecord.decode(ztoc));
    assertThat(decoded.pieces()).containsExactly(FIRST, SECOND);
    List<byte[]> originals = List.of(entry, ztoc);
    List<Object> read = new ArrayList<>();
    for (int i = 0; i < 20_000; i++) {
      byte[] changed = originals.get(i % 2).clone();
      for (int n = random.nextInt(4); n >= 0; n--) {
        changed[random.nextInt(changed.length)] = (byte) random.nextInt(256);
      }
      byte[] cut = Arrays.copyOf(changed, random.nextInt(changed.length + 1));
      read.add(List.of(SpanEntry.decode(cut) == null, ZtocRecord.decode(cut) == null));
      read.add(List.of(SpanEntry.decode(changed) == null, ZtocRecord.decode(changed) == null));
    }
    assertThat(read).contains(List.of(true, true), List.of(false, true), List.of(true, false));
  }
}
