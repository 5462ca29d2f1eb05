package dev.socifleet.testing;

import dev.socifleet.oci.Credential;
import dev.socifleet.oci.Registries;
import dev.socifleet.oci.RegistryException;
import dev.socifleet.oci.Repository;
import dev.socifleet.oci.RepositoryName;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * Real registries whose next answers a test chooses: a failure to throw, or a value. Without a
 * script a call goes through. What was called is kept. Thread-safe.
 */
public final class ScriptedRegistries implements Registries {
  private final Registries real;
  private final Map<String, Queue<Object>> scripts = new ConcurrentHashMap<>();
  private final List<String> calls = new CopyOnWriteArrayList<>();

  public ScriptedRegistries(Registries real) {
    this.real = real;
  }

  /**
   * Chooses the next answers of a method of {@link Repository}.
   *
   * @param answers each an exception to throw, as a rule a {@link RegistryException}, or what to
   *     return
   */
  public void next(String method, Object... answers) {
    if (Arrays.stream(Repository.class.getMethods())
        .noneMatch(known -> known.getName().equals(method))) {
      throw new IllegalArgumentException("a repository has no method " + method);
    }
    Queue<Object> script = scripts.computeIfAbsent(method, _ -> new ArrayDeque<>());
    synchronized (script) {
      script.addAll(List.of(answers));
    }
  }

  /** How often a method was called, on any repository. */
  public long calls(String method) {
    return calls.stream().filter(method::equals).count();
  }

  /** A failure as the HTTP client makes it of an answer. */
  public static RegistryException answered(
      int status, @Nullable Duration retryAfter, String... codes) {
    return new RegistryException(
        "cannot do it: " + status,
        status,
        List.of(codes),
        status == 429 || status >= 500,
        retryAfter,
        null);
  }

  /** A connection that broke before its answer, as the HTTP client tells of it. */
  public static RegistryException reset() {
    return new RegistryException("cannot do it: reset", 0, List.of(), true, null, null);
  }

  @Override
  public Repository repository(RepositoryName name) throws RegistryException {
    Repository repository = real.repository(name);
    return (Repository)
        Proxy.newProxyInstance(
            Repository.class.getClassLoader(),
            new Class<?>[] {Repository.class},
            (_, method, arguments) -> call(repository, method, arguments));
  }

  private @Nullable Object call(Repository repository, Method method, Object @Nullable [] arguments)
      throws Throwable {
    calls.add(method.getName());
    Queue<Object> script = scripts.getOrDefault(method.getName(), new ArrayDeque<>());
    Object answer;
    synchronized (script) {
      answer = script.poll();
    }
    if (answer instanceof Exception failure) {
      throw failure;
    }
    if (answer != null) {
      return answer;
    }
    try {
      return method.invoke(repository, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause() == null ? e : e.getCause();
    }
  }

  @Override
  public Repository repository(RepositoryName name, Credential credential) {
    throw new UnsupportedOperationException("no test needs a caller's credential");
  }

  @Override
  public boolean allows(String registry) {
    return real.allows(registry);
  }

  @Override
  public void close() {
    real.close();
  }
}
