package dev.socifleet.service;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
import ch.qos.logback.core.spi.ContextAwareBase;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * Logs on standard error: plain lines, or one JSON object a line. Logback finds this class by
 * itself (META-INF/services), so every process and test has these defaults from its first line on.
 */
public final class Logging extends ContextAwareBase implements Configurator {
  private static final String LINE =
      "%d{yyyy-MM-dd'T'HH:mm:ss.SSSX,UTC} %-5level %logger{0}: %msg%n%ex";

  // Talkative about what is routine here: reconnects, rebalances, configuration dumps.
  private static final List<String> QUIET =
      List.of(
          "io.netty", "io.vertx", "io.grpc", "org.apache.kafka", "kafka", "state", "org.rocksdb");

  // A broker in this process warns of its first start, and of every client that asks for a group's
  // coordinator while the first one's topic is made.
  private static final List<String> ROUTINE_WARNINGS =
      List.of(
          "org.apache.kafka.controller.QuorumController",
          "org.apache.kafka.server.DefaultAutoTopicCreationManager");

  private static Level level = Level.INFO;
  private static boolean json;
  private static @Nullable LoggerContext logback;

  @Override
  public ExecutionStatus configure(LoggerContext created) {
    synchronized (Logging.class) {
      logback = created;
      apply(created);
    }
    return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
  }

  /**
   * Takes {@code log.level} (error, warn, info, debug, trace; default info) and {@code log.json}
   * (default false) from a service's settings. Doesn't start Logback, which searches every jar for
   * its configuration: the first logger does, and commands that log nothing do without.
   */
  public static void configure(Settings settings) {
    String name = settings.text("log.level", "info").toUpperCase(Locale.ROOT);
    if (!List.of("ERROR", "WARN", "INFO", "DEBUG", "TRACE").contains(name)) {
      settings.problem("log.level", "expected error, warn, info, debug or trace");
    }
    synchronized (Logging.class) {
      level = Level.toLevel(name, Level.INFO);
      json = settings.flag("log.json", false);
      if (logback != null) {
        apply(logback);
      }
    }
  }

  private static void apply(LoggerContext context) {
    context.reset();
    ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
    appender.setContext(context);
    appender.setName("stderr");
    appender.setTarget("System.err");
    appender.setEncoder(json ? jsonEncoder(context) : lineEncoder(context));
    appender.start();
    ch.qos.logback.classic.Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
    root.setLevel(level);
    root.addAppender(appender);
    Level others = level.equals(Level.INFO) ? Level.WARN : level;
    QUIET.forEach(logger -> context.getLogger(logger).setLevel(others));
    if (level.isGreaterOrEqual(Level.INFO)) {
      ROUTINE_WARNINGS.forEach(logger -> context.getLogger(logger).setLevel(Level.ERROR));
    }
  }

  private static Encoder<ILoggingEvent> lineEncoder(LoggerContext context) {
    PatternLayoutEncoder encoder = new PatternLayoutEncoder();
    encoder.setContext(context);
    encoder.setPattern(LINE);
    encoder.start();
    return encoder;
  }

  private static Encoder<ILoggingEvent> jsonEncoder(LoggerContext context) {
    JsonEncoder encoder = new JsonEncoder();
    encoder.setContext(context);
    encoder.setWithSequenceNumber(false);
    encoder.setWithNanoseconds(false);
    encoder.setWithContext(false);
    encoder.setWithMessage(false);
    encoder.setWithArguments(false);
    encoder.setWithMarkers(false);
    encoder.setWithFormattedMessage(true);
    encoder.start();
    return encoder;
  }
}
