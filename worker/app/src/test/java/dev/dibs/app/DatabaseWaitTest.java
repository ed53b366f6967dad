package dev.dibs.app;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.dibs.DatabaseException;
import dev.dibs.sql.Schema;
import dev.dibs.testing.TestDatabase;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

class DatabaseWaitTest {
  private static final String NOBODY = "jdbc:postgresql://127.0.0.1:1/none";

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

  @Test
  void whoWaits_saysTheWayOutAndAgainForHowLong() throws Exception {
    var wait = new DatabaseWait(nobody(), ofSeconds(1));
    try (var log = new LogLines()) {
      var waiting =
          new FutureTask<>(() -> {
            wait.untilReachable(DatabaseWait.FOR_EVER);
            return "reached";
          });
      Thread thread = Thread.ofVirtual().start(waiting);
      await().atMost(ofSeconds(20)).until(() -> log.size() >= 2);
      thread.interrupt();
      assertThatThrownBy(waiting::get).hasCauseInstanceOf(InterruptedException.class);
      assertThat(log.line(0))
          .startsWith("database " + NOBODY + " cannot be reached: ")
          .contains(
              "trying again until it is back; check --database-url, or give --fail-fast to end at once");
      assertThat(log.line(1))
          .matches("database \\S+ cannot be reached for [1-9][0-9.]*s: .*--fail-fast.*");
    }
  }

  @Test
  void whoWaitsForAWhile_endsAsIfNotWaiting() {
    var wait = new DatabaseWait(nobody(), ofSeconds(60));
    try (var log = new LogLines()) {
      assertThatThrownBy(() -> wait.untilReachable(ofSeconds(1)))
          .isInstanceOf(DatabaseException.class)
          .hasMessageContaining("check --database-url and that the server runs");
      assertThat(log.size()).isEqualTo(1);
      assertThat(log.line(0)).contains("trying again for 1s; check --database-url");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "status, for 1m",
    "doctor, for 1m",
    "worker, until it is back",
    "gateway, until it is back",
    "console, until it is back",
    "migrate, until it is back"
  })
  void patience_isThatOfWhatTheCommandIsFor(String command, String patience) throws Exception {
    try (var log = new LogLines()) {
      var waiting = Thread.ofVirtual().start(() -> Run.dibs(command, "--database-url", NOBODY));
      await().atMost(ofSeconds(20)).until(() -> log.size() == 1);
      waiting.interrupt();
      waiting.join();
      assertThat(log.line(0)).contains("trying again " + patience + "; check --database-url");
    }
  }

  private static Database nobody() {
    return new Database(DatabaseUrl.parse(NOBODY), Schema.DEFAULT, "status", () -> {});
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
