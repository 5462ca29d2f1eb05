package dev.socifleet.embedded.registry;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.socifleet.embedded.registry.RepositoryStore.Stored;
import dev.socifleet.embedded.registry.SmallRegistry.Notifications;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells a receiver of pushes and deletions, as the CNCF Distribution registry does ("Work with
 * notifications"): an envelope {@code {"events":[…]}} with one event, POSTed until it is taken.
 *
 * <p>An event is a file before its push is acknowledged, and is deleted when the receiver answered
 * 2xx; so the end of either process loses none, and one may come twice. In order; one at a time. A
 * full queue forgets its oldest event. Before there ever was a receiver nothing is kept.
 * Thread-safe.
 */
final class EventQueue implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EventQueue.class);
  private static final JsonMapper JSON = new JsonMapper();
  private static final String ENVELOPE = "application/vnd.docker.distribution.events.v1+json";
  private static final int MOST = 10_000;
  private static final Duration TIMEOUT = Duration.ofSeconds(15);
  private static final Duration FIRST_WAIT = Duration.ofMillis(200);
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(15);

  private final Path directory;
  private final String instance = UUID.randomUUID().toString();
  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(5))
          .build();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** The numbers of the files, guarded by the lock like the fields below. */
  private final TreeSet<Long> waiting = new TreeSet<>();

  private long lastNumber;
  private boolean keeping;
  private boolean closed;
  private @Nullable Notifications target;
  private final Thread sender;

  EventQueue(Path directory) throws IOException {
    this.directory = directory;
    keeping = Files.isDirectory(directory);
    if (keeping) {
      try (Stream<Path> files = Files.list(directory)) {
        files
            .map(file -> String.valueOf(file.getFileName()))
            .filter(name -> name.matches("\\d{1,18}"))
            .map(Long::valueOf)
            .forEach(waiting::add);
      }
      lastNumber = waiting.isEmpty() ? 0 : waiting.last();
    }
    sender = Thread.ofVirtual().name("registry-events").start(this::send);
  }

  void target(Notifications notifications) {
    lock.lock();
    try {
      target = notifications;
      keeping = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  void pushed(Exchange exchange, String repository, Optional<String> tag, Stored manifest)
      throws IOException {
    add(event("push", exchange, repository, tag, Optional.of(manifest)));
  }

  /** Of a tag, or of a manifest where there is no tag. */
  void deleted(Exchange exchange, String repository, Optional<String> tag, Stored manifest)
      throws IOException {
    ObjectNode event = event("delete", exchange, repository, tag, Optional.empty());
    if (tag.isEmpty()) {
      ((ObjectNode) event.get("target")).put("digest", manifest.digest().toString());
    }
    add(event);
  }

  private ObjectNode event(
      String action,
      Exchange exchange,
      String repository,
      Optional<String> tag,
      Optional<Stored> manifest) {
    String host = exchange.header("Host").orElse("");
    ObjectNode event =
        JSON.createObjectNode()
            .put("id", UUID.randomUUID().toString())
            .put("timestamp", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString())
            .put("action", action);
    ObjectNode what = event.putObject("target");
    manifest.ifPresent(stored ->
        what.put("mediaType", stored.mediaType())
            .put("digest", stored.digest().toString())
            .put("size", stored.size())
            .put("length", stored.size())
            .put("url", "http://" + host + "/v2/" + repository + "/manifests/" + stored.digest()));
    what.put("repository", repository);
    tag.ifPresent(text -> what.put("tag", text));
    event
        .putObject("request")
        .put("id", UUID.randomUUID().toString())
        .put("addr", exchange.client())
        .put("host", host)
        .put("method", exchange.method())
        .put("useragent", AccessLog.shortened(exchange.userAgent()));
    event.putObject("actor");
    event.putObject("source").put("addr", host).put("instanceID", instance);
    return event;
  }

  private void add(ObjectNode event) throws IOException {
    lock.lock();
    try {
      if (!keeping) {
        return;
      }
      if (waiting.size() >= MOST) {
        long oldest = waiting.removeFirst();
        Files.deleteIfExists(file(oldest));
        LOG.warn("{} events wait for their receiver; forgot the oldest", MOST);
      }
      Files.createDirectories(directory);
      ObjectNode envelope = JSON.createObjectNode();
      envelope.putArray("events").add(event);
      long number = ++lastNumber;
      Path partial = directory.resolve("partial-" + number);
      Files.writeString(partial, envelope.toString(), StandardCharsets.UTF_8);
      Files.move(partial, file(number), StandardCopyOption.ATOMIC_MOVE);
      waiting.add(number);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private Path file(long number) {
    return directory.resolve(String.valueOf(number));
  }

  private void send() {
    Duration wait = FIRST_WAIT;
    try {
      while (true) {
        long number;
        Notifications receiver;
        lock.lockInterruptibly();
        try {
          while (!closed && (waiting.isEmpty() || target == null)) {
            changed.await();
          }
          if (closed || target == null) {
            return;
          }
          number = waiting.first();
          receiver = target;
        } finally {
          lock.unlock();
        }
        if (deliver(receiver, number)) {
          wait = FIRST_WAIT;
        } else {
          pause(wait, receiver);
          wait =
              wait.multipliedBy(2).compareTo(LONGEST_WAIT) > 0
                  ? LONGEST_WAIT
                  : wait.multipliedBy(2);
        }
      }
    } catch (InterruptedException e) {
      LOG.debug("no more events are sent");
    }
  }

  /** Until the time is over, the registry closes, or there is another receiver. */
  private void pause(Duration wait, Notifications receiver) throws InterruptedException {
    long nanos = wait.toNanos();
    lock.lockInterruptibly();
    try {
      while (nanos > 0 && !closed && receiver.equals(target)) {
        nanos = changed.awaitNanos(nanos);
      }
    } finally {
      lock.unlock();
    }
  }

  /** False when the event has to be sent again. */
  private boolean deliver(Notifications receiver, long number) throws InterruptedException {
    String address = receiver.url().getScheme() + "://" + receiver.url().getAuthority();
    try {
      HttpRequest.Builder request =
          HttpRequest.newBuilder(receiver.url())
              .timeout(TIMEOUT)
              .header("Content-Type", ENVELOPE)
              .POST(HttpRequest.BodyPublishers.ofByteArray(Files.readAllBytes(file(number))));
      if (!receiver.authorization().isEmpty()) {
        request.header("Authorization", receiver.authorization());
      }
      int status =
          client.send(request.build(), HttpResponse.BodyHandlers.discarding()).statusCode();
      boolean refused = status == 400 || status == 413 || status == 415 || status == 422;
      if (status / 100 != 2 && !refused) {
        LOG.warn("{} answered {} to an event; trying again", address, status);
        return false;
      }
      if (refused) {
        LOG.warn("{} answered {} to an event: it will never take it, dropped", address, status);
      }
      done(number);
      return true;
    } catch (NoSuchFileException e) {
      done(number); // forgotten meanwhile, the queue was full
      return true;
    } catch (IOException e) {
      LOG.info("cannot tell {} of an event, trying again: {}", address, e.toString());
      return false;
    }
  }

  private void done(long number) {
    lock.lock();
    try {
      waiting.remove(number);
      Files.deleteIfExists(file(number));
    } catch (IOException e) {
      LOG.warn("an event was sent and can't be deleted; it will be sent again: {}", e.toString());
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    sender.interrupt();
    client.shutdownNow();
    try {
      sender.join(Duration.ofSeconds(5));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
