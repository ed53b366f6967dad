package dev.dibs.app;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/** What anything in this process logs while it is open, from INFO on. */
final class LogOfAll implements AutoCloseable {
  private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
  private final Level before = root.getLevel();
  private final ListAppender<ILoggingEvent> lines = new ListAppender<>();

  LogOfAll() {
    lines.start();
    root.setLevel(Level.INFO);
    root.addAppender(lines);
  }

  /** All lines with what was thrown. */
  String text() {
    return List.copyOf(lines.list).stream()
        .map(event -> event.getFormattedMessage() + thrown(event.getThrowableProxy()))
        .collect(Collectors.joining("\n"));
  }

  private static String thrown(@Nullable IThrowableProxy proxy) {
    return proxy == null ? "" : " " + proxy.getMessage() + thrown(proxy.getCause());
  }

  @Override
  public void close() {
    root.detachAppender(lines);
    root.setLevel(before);
  }
}
