package dev.dibs.app;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether tasks can be written, for whoever routes requests: from what became of them, and from a
 * look of its own now and then, for where nobody routes any. One log line a change. Thread-safe.
 */
final class DatabaseHealth implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DatabaseHealth.class);
  private static final Duration INTERVAL = Duration.ofSeconds(2);
  private static final Duration LONGEST_ANSWER = Duration.ofSeconds(5);
  private static final String IS_WRITABLE =
      "select current_setting('transaction_read_only') = 'off'";

  private final Database database;
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final Thread thread =
      Thread.ofPlatform().daemon().name("dibs-health").unstarted(this::lookUntilStopped);
  private boolean away;

  DatabaseHealth(Database database) {
    this.database = database;
  }

  /** Looks from now on, until closed. */
  void start() {
    thread.start();
  }

  synchronized boolean isAway() {
    return away;
  }

  /** It has just taken tasks, or would. */
  synchronized void taken() {
    if (away) LOG.info("database {} takes tasks again", database.url());
    away = false;
  }

  /** It takes none, and why: not in its own words, which could quote a row. */
  synchronized void refused(String why) {
    if (!away) LOG.warn("database {} takes no tasks: {}", database.url(), why);
    away = true;
  }

  private void lookUntilStopped() {
    try {
      do {
        look();
      } while (!stopped.await(INTERVAL.toNanos(), TimeUnit.NANOSECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void look() {
    try (Connection connection = database.plain(LONGEST_ANSWER).getConnection();
        var statement = connection.createStatement();
        var rows = statement.executeQuery(IS_WRITABLE)) {
      if (rows.next() && rows.getBoolean(1)) taken();
      else refused("it is read-only");
    } catch (SQLException e) {
      refused("SQLSTATE " + e.getSQLState());
    }
  }

  @Override
  public void close() {
    stopped.countDown();
    thread.interrupt();
  }
}
