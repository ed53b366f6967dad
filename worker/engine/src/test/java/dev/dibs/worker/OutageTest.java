package dev.dibs.worker;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class OutageTest {
  @Test
  void aDatabaseThatAnswersNowAndThen_isSpokenOfOnce() {
    var lines = new ListAppender<ILoggingEvent>();
    lines.start();
    var log = (Logger) LoggerFactory.getLogger(Worker.class);
    log.addAppender(lines);
    try {
      var outage = new Outage();
      for (int i = 0; i < 100; i++) {
        outage.failed(new SQLException("no connection left", "53300"));
        assertThat(outage.isAway()).isTrue();
        outage.answered();
        assertThat(outage.isAway()).isFalse();
      }
    } finally {
      log.detachAppender(lines);
    }
    assertThat(lines.list)
        .filteredOn(line -> line.getFormattedMessage().contains("no connection left"))
        .hasSize(1);
  }
}
