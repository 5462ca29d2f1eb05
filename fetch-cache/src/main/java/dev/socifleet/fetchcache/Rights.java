package dev.socifleet.fetchcache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import java.time.Duration;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;

/**
 * What the registries let callers do. A caller may have a blob's bytes when his credential may pull
 * from the repository, and the repository has the blob. One HEAD request, as this caller, shows
 * both; they are remembered apart, so that a known caller's next blob and a known blob's next
 * caller cost one question each, and both known none. A refusal is remembered just long enough to
 * keep a crowd from asking all at once. Thread-safe.
 */
final class Rights {
  private static final Duration REFUSALS_MEMORY = Duration.ofSeconds(2);
  private static final int MOST = 100_000;

  private record Blob(RepositoryName repository, Digest digest) {}

  private record Question(Digest caller, Blob blob) {}

  private final Origin origin;
  private final Cache<Digest, Boolean> pulls;
  private final Cache<Blob, Long> sizes;
  private final Cache<Question, Refusal> refused =
      Caffeine.newBuilder().maximumSize(MOST).expireAfterWrite(REFUSALS_MEMORY).build();
  private final Map<Question, CompletableFuture<Long>> asking = new ConcurrentHashMap<>();

  /**
   * @param memory how long the registry isn't asked again
   */
  Rights(Origin origin, Duration memory) {
    this.origin = origin;
    pulls = Caffeine.newBuilder().maximumSize(MOST).expireAfterWrite(memory).build();
    sizes = Caffeine.newBuilder().maximumSize(MOST).expireAfterWrite(memory).build();
  }

  /**
   * Returns the blob's size when the caller may have its bytes.
   *
   * @throws Refusal when he may not, or the registry can't say
   */
  long check(Caller caller, Digest digest) throws Refusal, InterruptedException {
    Question question = new Question(caller.key(), new Blob(caller.repository(), digest));
    OptionalLong known = known(question);
    if (known.isPresent()) {
      return known.getAsLong();
    }
    CompletableFuture<Long> answer = new CompletableFuture<>();
    CompletableFuture<Long> others = asking.putIfAbsent(question, answer);
    if (others != null) {
      return await(others);
    }
    try {
      // It may have been answered between the look at what is known and this one's turn.
      known = known(question);
      long found = known.isPresent() ? known.getAsLong() : ask(caller, question);
      answer.complete(found);
      return found;
    } catch (Refusal e) {
      answer.completeExceptionally(e);
      throw e;
    } finally {
      asking.remove(question, answer);
      // Nothing happens if it was answered; else this caller was interrupted, and only he.
      answer.completeExceptionally(Refusal.overloaded("the question to the registry was ended"));
    }
  }

  /** What is remembered: the size, that it was refused, or nothing. */
  private OptionalLong known(Question question) throws Refusal {
    Long size = sizes.getIfPresent(question.blob());
    if (size != null && pulls.getIfPresent(question.caller()) != null) {
      return OptionalLong.of(size);
    }
    Refusal refusal = refused.getIfPresent(question);
    if (refusal != null) {
      throw refusal;
    }
    return OptionalLong.empty();
  }

  private long ask(Caller caller, Question question) throws Refusal, InterruptedException {
    Blob blob = question.blob();
    OptionalLong size;
    try {
      size = origin.blobSize(caller, blob.digest());
      if (size.isEmpty()) {
        throw Refusal.denied("blob-unknown", blob.repository() + " has no blob " + blob.digest());
      }
    } catch (Refusal e) {
      if (e.isPersonal()) {
        refused.put(question, e);
      }
      throw e;
    }
    pulls.put(caller.key(), true);
    sizes.put(blob, size.getAsLong());
    return size.getAsLong();
  }

  private static long await(CompletableFuture<Long> answer) throws Refusal, InterruptedException {
    try {
      return answer.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Refusal refusal) {
        throw refusal;
      }
      throw new IllegalStateException("an answer fails with a refusal only", e);
    }
  }

  /** The registry has just refused him, whatever was remembered. */
  void forget(Caller caller, Digest digest) {
    pulls.invalidate(caller.key());
    sizes.invalidate(new Blob(caller.repository(), digest));
  }
}
