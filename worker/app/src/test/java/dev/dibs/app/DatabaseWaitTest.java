package dev.dibs.app;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.dibs.testing.TestDatabase;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class DatabaseWaitTest {
  /** A role that may not connect yet stands for a server that has no room yet. */
  @Test
  void await_returnsWhenTheDatabaseLetsUsIn() {
    String role = "waiting_" + UUID.randomUUID().toString().substring(0, 8);
    try (var database = TestDatabase.create();
        var log = new LogLines()) {
      database.execute(
          "create role " + role + " login superuser connection limit 0 password 'secret'");
      database.execute("alter role " + role + " nosuperuser");
      database.execute("grant usage on schema dibs to " + role);
      database.execute("grant select on all tables in schema dibs to " + role);
      String url = database.url().replaceFirst("user=[^&]*", "user=" + role);
      var status =
          CompletableFuture.supplyAsync(
              () -> Run.dibs("status", "--database-url", url, "--database-password", "secret"));
      await().atMost(ofSeconds(20)).until(() -> log.size() == 1);
      assertThat(status).isNotDone();
      database.execute("alter role " + role + " connection limit -1");
      await().atMost(ofSeconds(20)).until(status::isDone);
      assertThat(status.join().code()).isZero();
      assertThat(log.line(0)).contains("cannot be reached", "too many connections", "trying again");
      assertThat(log.line(1)).contains("is back");
      assertThat(log.size()).isEqualTo(2);
      database.execute("drop owned by " + role);
      database.execute("drop role " + role);
    }
  }

  /** What DatabaseWait logs while this is open. */
  private static final class LogLines implements AutoCloseable {
    private final Logger logger = (Logger) LoggerFactory.getLogger(DatabaseWait.class);
    private final ListAppender<ILoggingEvent> lines = new ListAppender<>();

    LogLines() {
      lines.start();
      logger.setLevel(Level.INFO);
      logger.setAdditive(false);
      logger.addAppender(lines);
    }

    int size() {
      return lines.list.size();
    }

    String line(int number) {
      return lines.list.get(number).getFormattedMessage();
    }

    @Override
    public void close() {
      logger.detachAppender(lines);
      logger.setAdditive(true);
      logger.setLevel(null);
    }
  }
}
