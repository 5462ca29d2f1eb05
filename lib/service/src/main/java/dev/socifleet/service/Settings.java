package dev.socifleet.service;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One service's configuration, read once at start by one thread.
 *
 * <p>A key's value is that of the argument {@code --key=value}, else of the environment variable
 * {@code SOCI_<SERVICE>_<KEY>} (upper case, dots and dashes as underscores), else of the TOML file
 * that {@code --config} names. An entry of an array of tables has its number in its keys: {@code
 * --source.0.name=…}, {@code SOCI_INGEST_SOURCE_0_NAME}.
 *
 * <p>Reading a bad or missing value notes a problem and answers with the default, or with something
 * of the right type. {@link #finish()} fails with all problems, and with the keys that nobody read;
 * so read everything, call it, then use the values.
 */
public final class Settings {
  // Kubernetes describes each Service of a namespace to every pod in variables such as
  // SOCI_INGEST_SERVICE_HOST and SOCI_INGEST_PORT_8080_TCP_ADDR. They are none of ours.
  private static final Pattern KUBERNETES_LINK =
      Pattern.compile(
          "SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_\\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?");
  private static final long LARGEST_SECRET = 64 << 10;

  /** What all sections of one configuration share. */
  private static final class Shared {
    private final Map<String, List<String>> values = new LinkedHashMap<>();
    private final Map<String, String> environment = new TreeMap<>();
    private final Set<String> readKeys = new LinkedHashSet<>();
    private final Set<String> readVariables = new LinkedHashSet<>();
    private final List<String> problems = new ArrayList<>();
    private String variablePrefix = "";
  }

  private final Shared shared;
  private final String section;

  private Settings(Shared shared, String section) {
    this.shared = shared;
    this.section = section;
  }

  /**
   * The configuration of a service's process.
   *
   * @throws BadSettingsException when the file cannot be read or an argument isn't understood
   */
  public static Settings load(String service, String... args) {
    return load(service, System.getenv(), args);
  }

  static Settings load(String service, Map<String, String> environment, String... args) {
    Shared shared = new Shared();
    shared.variablePrefix = variable("soci-" + service + "-");
    environment.forEach((name, value) -> {
      if (name.startsWith(shared.variablePrefix)) {
        shared.environment.put(name.substring(shared.variablePrefix.length()), value);
      }
    });
    Map<String, List<String>> fromArguments = new LinkedHashMap<>();
    for (int i = 0; i < args.length; i++) {
      String argument = args[i];
      int equals = argument.indexOf('=');
      if (argument.equals("--config") && i + 1 < args.length) {
        shared.values.putAll(SettingsFile.read(Path.of(args[++i])));
      } else if (argument.startsWith("--config=")) {
        shared.values.putAll(SettingsFile.read(Path.of(argument.substring("--config=".length()))));
      } else if (argument.startsWith("--") && equals > 2) {
        fromArguments.put(argument.substring(2, equals), List.of(argument.substring(equals + 1)));
      } else {
        shared.problems.add(argument + ": not understood; write --key=value or --config FILE");
      }
    }
    // An argument must win over a variable, a variable over the file.
    fromArguments.keySet().forEach(key -> shared.environment.remove(variable(key)));
    shared.values.putAll(fromArguments);
    return new Settings(shared, "");
  }

  /** Settings from dotted keys: what tests and {@code soci up} use. Lists are comma-separated. */
  public static Settings of(Map<String, String> values) {
    Shared shared = new Shared();
    values.forEach((key, value) -> shared.values.put(key, List.of(value)));
    return new Settings(shared, "");
  }

  /** The value, or empty when the key isn't set. */
  public Optional<String> optional(String key) {
    List<String> values = find(key);
    if (values == null) {
      return Optional.empty();
    }
    if (values.size() != 1) {
      problem(key, "is a list; expected one value");
      return Optional.empty();
    }
    return Optional.of(values.getFirst());
  }

  public String text(String key, String defaultValue) {
    return optional(key).orElse(defaultValue);
  }

  /** The value of a key that must be set and not blank. */
  public String required(String key) {
    Optional<String> value = optional(key);
    if (value.isEmpty()) {
      problem(key, "is missing");
    } else if (value.get().isBlank()) {
      problem(key, "is blank");
    }
    return value.orElse("");
  }

  /** A whole number from {@code min} to {@code max}, both included. */
  public long number(String key, long defaultValue, long min, long max) {
    return parsed(
        key,
        defaultValue,
        text -> {
          long number = Long.parseLong(text.strip());
          if (number < min || number > max) {
            throw new IllegalArgumentException("expected " + min + " to " + max);
          }
          return number;
        },
        "a whole number");
  }

  /** A size in bytes: {@code 1048576}, {@code 512KiB}, {@code 10GB}. */
  public long bytes(String key, long defaultValue) {
    return parsed(key, defaultValue, Quantities::bytes, "a size such as 64MiB");
  }

  /** A time span: {@code 250ms}, {@code 30s}, {@code 10m}, {@code 2h}, {@code 7d}. */
  public Duration duration(String key, Duration defaultValue) {
    return parsed(key, defaultValue, Quantities::duration, "a duration such as 30s");
  }

  public boolean flag(String key, boolean defaultValue) {
    return parsed(
        key,
        defaultValue,
        text ->
            switch (text.strip().toLowerCase(Locale.ROOT)) {
              case "true" -> true;
              case "false" -> false;
              default -> throw new IllegalArgumentException("expected true or false");
            },
        "true or false");
  }

  /** The items of an array, or of a comma-separated text; empty when the key isn't set. */
  public List<String> list(String key) {
    List<String> values = find(key);
    if (values == null) {
      return List.of();
    }
    if (values.size() != 1) {
      return List.copyOf(values);
    }
    return Arrays.stream(values.getFirst().split(","))
        .map(String::strip)
        .filter(item -> !item.isEmpty())
        .toList();
  }

  public Path path(String key, Path defaultValue) {
    return parsed(key, defaultValue, Path::of, "a path");
  }

  /**
   * {@code host:port}, {@code [::1]:port}; port 0 lets the system choose one. Not resolved here.
   */
  public InetSocketAddress address(String key, String defaultValue) {
    return parsed(
        key, Quantities.address(defaultValue), Quantities::address, "an address host:port");
  }

  /**
   * A secret: the value of {@code key}, or the content of the file that {@code key-file} names,
   * without the line break at its end. Empty when neither is set; blank and doubled are problems.
   */
  public Optional<Secret> secret(String key) {
    Optional<String> value = optional(key);
    Optional<String> file = optional(key + "-file");
    if (value.isPresent() && file.isPresent()) {
      problem(key, "is set, and " + key + "-file too; keep one");
      return Optional.empty();
    }
    if (file.isPresent()) {
      try {
        Path path = Path.of(file.get());
        if (Files.size(path) > LARGEST_SECRET) {
          problem(key + "-file", path + " has more than " + LARGEST_SECRET + " bytes");
          return Optional.empty();
        }
        value = Optional.of(Files.readString(path).stripTrailing());
      } catch (IOException | IllegalArgumentException e) {
        problem(key + "-file", "cannot read it: " + e);
        return Optional.empty();
      }
    }
    if (value.isPresent() && value.get().isBlank()) {
      problem(file.isPresent() ? key + "-file" : key, "is blank; a secret must have characters");
      return Optional.empty();
    }
    return value.map(Secret::new);
  }

  /** The entries of an array of tables, in its order; their problems are reported here. */
  public List<Settings> tables(String key) {
    Set<Integer> numbers = new TreeSet<>();
    Pattern ofKey = Pattern.compile(Pattern.quote(section + key) + "\\.(\\d{1,4})\\..+");
    shared.values.keySet().forEach(name -> addNumber(ofKey.matcher(name), numbers));
    Pattern ofVariable = Pattern.compile(Pattern.quote(variable(section + key)) + "_(\\d{1,4})_.+");
    shared.environment.keySet().forEach(name -> addNumber(ofVariable.matcher(name), numbers));
    return numbers.stream()
        .map(number -> new Settings(shared, section + key + "." + number + "."))
        .toList();
  }

  /**
   * Every setting below {@code key}, by what follows it: for names that aren't ours, such as a
   * client library's. In a variable's name an underscore stands for a dot.
   */
  public Map<String, String> below(String key) {
    Map<String, String> found = new TreeMap<>();
    String prefix = section + key + ".";
    shared.values.forEach((name, value) -> {
      if (name.startsWith(prefix)) {
        shared.readKeys.add(name);
        found.put(name.substring(prefix.length()), String.join(",", value));
      }
    });
    String variables = variable(prefix);
    shared.environment.forEach((name, value) -> {
      if (name.startsWith(variables)) {
        shared.readVariables.add(name);
        String rest = name.substring(variables.length());
        found.put(rest.toLowerCase(Locale.ROOT).replace('_', '.'), value);
      }
    });
    return found;
  }

  /** Notes that a value cannot be used, for {@link #finish()} to report. */
  public void problem(String key, String what) {
    shared.problems.add(section + key + ": " + what);
  }

  /**
   * Ends the reading.
   *
   * @throws BadSettingsException with every problem and every key that isn't known
   */
  public void finish() {
    List<String> all = new ArrayList<>(shared.problems);
    for (String key : shared.values.keySet()) {
      if (!shared.readKeys.contains(key)) {
        all.add(key + ": no such setting");
      }
    }
    for (String name : shared.environment.keySet()) {
      if (!shared.readVariables.contains(name) && !KUBERNETES_LINK.matcher(name).matches()) {
        all.add(shared.variablePrefix + name + ": no such setting");
      }
    }
    if (!all.isEmpty()) {
      throw new BadSettingsException(all);
    }
  }

  private static void addNumber(Matcher matcher, Set<Integer> numbers) {
    if (matcher.matches()) {
      numbers.add(Integer.valueOf(matcher.group(1)));
    }
  }

  private static String variable(String key) {
    return key.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
  }

  private @Nullable List<String> find(String key) {
    String name = section + key;
    shared.readKeys.add(name);
    shared.readVariables.add(variable(name));
    String fromEnvironment = shared.environment.get(variable(name));
    return fromEnvironment != null ? List.of(fromEnvironment) : shared.values.get(name);
  }

  private <T> T parsed(String key, T defaultValue, Function<String, T> parser, String expected) {
    Optional<String> value = optional(key);
    if (value.isEmpty()) {
      return defaultValue;
    }
    try {
      return parser.apply(value.get());
    } catch (IllegalArgumentException | ArithmeticException e) {
      String why = e.getMessage();
      problem(
          key,
          "'"
              + value.get()
              + "' is not "
              + expected
              + (why == null || e instanceof NumberFormatException ? "" : ": " + why));
      return defaultValue;
    }
  }
}
