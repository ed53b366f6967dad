package dev.dibs.app;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.OutputStreamAppender;
import org.slf4j.ILoggerFactory;
import org.slf4j.LoggerFactory;

/** How log lines are written. */
enum LogFormat {
  /** A line a person reads. */
  TEXT,
  /** An object a line, with the task a handler runs under {@code mdc}. */
  JSON;

  /**
   * The format called {@code name}.
   *
   * @throws IllegalArgumentException if there is none
   */
  static LogFormat parse(String name) {
    return switch (name) {
      case "text" -> TEXT;
      case "json" -> JSON;
      default -> throw new IllegalArgumentException("must be text or json, was '" + name + "'");
    };
  }

  /** Writes so from now on, whatever the configuration of the log says of encoders. */
  void apply() {
    ILoggerFactory factory = LoggerFactory.getILoggerFactory();
    if (this == TEXT || !(factory instanceof LoggerContext context)) return;
    var appenders = context.getLogger(Logger.ROOT_LOGGER_NAME).iteratorForAppenders();
    while (appenders.hasNext()) {
      if (appenders.next() instanceof OutputStreamAppender<ILoggingEvent> appender) {
        appender.stop();
        appender.setEncoder(encoder(context));
        appender.start();
      }
    }
  }

  static JsonEncoder encoder(LoggerContext context) {
    var encoder = new JsonEncoder();
    encoder.setContext(context);
    encoder.setWithSequenceNumber(false);
    encoder.setWithContext(false);
    encoder.setWithMessage(false); // the pattern; what it came to is what one looks for
    encoder.setWithArguments(false);
    encoder.setWithFormattedMessage(true);
    encoder.start();
    return encoder;
  }
}
