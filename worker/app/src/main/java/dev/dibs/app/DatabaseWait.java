package dev.dibs.app;

import dev.dibs.DatabaseException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Waits for a database that is starting, failing over or not to be reached, with one log line a
 * change and one a minute.
 *
 * <p>It does not wait for what will not come by waiting: a wrong password, a database that does not
 * exist.
 */
final class DatabaseWait {
  private static final Logger LOG = LoggerFactory.getLogger(DatabaseWait.class);

  /** The patience of who serves: whatever goes wrong, it comes back by itself. */
  static final Duration FOR_EVER = ChronoUnit.FOREVER.getDuration();

  /** The patience of who does one thing: as long as a server that starts may take. */
  static final Duration A_WHILE = Duration.ofMinutes(1);

  private static final Duration SAY_AGAIN = Duration.ofMinutes(1);
  private static final Duration SHORTEST = Duration.ofMillis(500);
  private static final Duration LONGEST = Duration.ofSeconds(5);
  private static final Duration ANSWER = Duration.ofSeconds(10);

  /** No connection, going down or coming up, out of connections. */
  private static final List<String> PASSING = List.of("08", "57P", "53");

  /** The server wants a password and none was given. */
  private static final String REJECTED = "08004";

  private final Database database;
  private final Duration sayAgain;

  DatabaseWait(Database database) {
    this(database, SAY_AGAIN);
  }

  /**
   * For tests, which cannot wait a minute.
   *
   * @param sayAgain how often it says that it still waits
   */
  DatabaseWait(Database database, Duration sayAgain) {
    this.database = database;
    this.sayAgain = sayAgain;
  }

  /**
   * Returns when the database answers.
   *
   * @param atMost how long to wait; zero: it is tried once
   * @throws DatabaseException at once if waiting cannot help, else if it does not answer in time
   */
  void untilReachable(Duration atMost) throws InterruptedException {
    long begin = System.nanoTime();
    Duration said = sayAgain.negated();
    Duration wait = SHORTEST;
    for (Optional<SQLException> failure = probe(); failure.isPresent(); failure = probe()) {
      Duration waited = Duration.ofNanos(System.nanoTime() - begin);
      if (waited.compareTo(atMost) >= 0 || !passes(failure.get())) throw unreachable(failure.get());
      if (waited.minus(said).compareTo(sayAgain) >= 0) {
        say(failure.get(), waited, atMost);
        said = waited;
      }
      pause(wait);
      wait = longer(wait);
    }
    if (!said.isNegative()) LOG.info("database {} is back", database.url());
  }

  private void say(SQLException failure, Duration waited, Duration atMost) {
    LOG.warn(
        "database {} cannot be reached{}: {}; trying again {}; check --database-url, or give --fail-fast to end at once",
        database.url(),
        waited.compareTo(sayAgain) < 0 ? "" : " for " + DurationText.show(waited),
        reason(failure),
        atMost.equals(FOR_EVER) ? "until it is back" : "for " + DurationText.write(atMost));
  }

  private Optional<SQLException> probe() {
    try (Connection connection = database.plain(ANSWER).getConnection();
        var statement = connection.createStatement()) {
      statement.execute("select 1");
      return Optional.empty();
    } catch (SQLException e) {
      return Optional.of(e);
    }
  }

  private static boolean passes(SQLException e) {
    String state = e.getSQLState();
    if (state == null) return true;
    return PASSING.stream().anyMatch(state::startsWith) && !state.equals(REJECTED);
  }

  private DatabaseException unreachable(SQLException e) {
    String wayOut =
        passes(e)
            ? "; check --database-url and that the server runs"
            : "; check --database-url, --database-user and the password";
    return new DatabaseException(
        "database " + database.url() + " cannot be reached",
        new SQLException(reason(e) + wayOut, e.getSQLState(), e));
  }

  /** What the driver says, and what it keeps to itself: an unknown host is only in the cause. */
  private static String reason(SQLException e) {
    String said = DatabaseException.reason(e);
    Throwable cause = e.getCause();
    return cause == null || cause.getMessage() == null || said.contains(cause.getMessage())
        ? said
        : said + " (" + cause.getClass().getSimpleName() + ": " + cause.getMessage() + ")";
  }

  private static Duration longer(Duration wait) {
    return wait.multipliedBy(2).compareTo(LONGEST) > 0 ? LONGEST : wait.multipliedBy(2);
  }

  /**
   * Between the shortest wait and {@code longest}, so that a fleet does not come back all at once.
   */
  private static void pause(Duration longest) throws InterruptedException {
    long deadline =
        System.nanoTime()
            + ThreadLocalRandom.current().nextLong(SHORTEST.toNanos(), longest.toNanos() + 1);
    for (long left = deadline - System.nanoTime(); left > 0; left = deadline - System.nanoTime()) {
      LockSupport.parkNanos(left);
      if (Thread.interrupted()) throw new InterruptedException();
    }
  }
}
