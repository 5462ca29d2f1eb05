package dev.socifleet.oci;

import dev.socifleet.oci.Endpoint.Capability;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The hosts of one repository in the order in which they are asked: its mirrors, then the registry
 * itself. What a mirror doesn't have or gets wrong the next one is asked for; one that doesn't
 * answer is left alone for a while, and asked after all where the registry doesn't answer either.
 * Only reads go to mirrors. Thread-safe.
 */
final class Hosts {
  private static final Logger LOG = LoggerFactory.getLogger(Hosts.class);

  /** Something to ask a host; empty where it doesn't have it. */
  @FunctionalInterface
  interface Question<T> {
    Optional<T> ask(RegistryHttp host) throws RegistryException;
  }

  private final List<RegistryHttp> mirrors;
  private final RegistryHttp registry;

  Hosts(List<RegistryHttp> mirrors, RegistryHttp registry) {
    this.mirrors = List.copyOf(mirrors);
    this.registry = registry;
  }

  /** The registry itself: for everything that changes it, or must be true now. */
  RegistryHttp registry() {
    return registry;
  }

  /** The first answer; the registry's own failure where there is none. */
  <T> Optional<T> first(Capability capability, Question<T> question) throws RegistryException {
    List<RegistryHttp> down = new ArrayList<>();
    for (RegistryHttp mirror : mirrors) {
      if (mirror.endpoint().capabilities().contains(capability)) {
        if (mirror.known().isDown()) {
          down.add(mirror);
          continue;
        }
        Optional<T> found = ask(mirror, question);
        if (found.isPresent()) {
          return found;
        }
      }
    }
    try {
      return question.ask(registry);
    } catch (RegistryException e) {
      if (e.temporary()) {
        for (RegistryHttp mirror : down) {
          Optional<T> found = ask(mirror, question);
          if (found.isPresent()) {
            return found;
          }
        }
      }
      throw e;
    }
  }

  private static <T> Optional<T> ask(RegistryHttp mirror, Question<T> question)
      throws RegistryException {
    try {
      return question.ask(mirror);
    } catch (RegistryException e) {
      if (Thread.currentThread().isInterrupted()) {
        throw e;
      }
      LOG.debug("going on without mirror {}: {}", mirror.endpoint().base(), e.getMessage());
      if (e.temporary()) {
        mirror.known().down();
      }
      return Optional.empty();
    }
  }

  /**
   * Bytes that came in turn from these hosts had another digest than they should: no mirror is
   * asked for a while.
   *
   * @return whether there is a mirror, so that another attempt may give the right bytes
   */
  boolean distrustMirrors() {
    mirrors.forEach(mirror -> mirror.known().down());
    return !mirrors.isEmpty();
  }
}
