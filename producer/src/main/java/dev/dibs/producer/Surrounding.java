package dev.dibs.producer;

import dev.dibs.DatabaseException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The transaction that Spring has open on the caller's thread. Where the data source takes part in
 * it, as a TransactionAwareDataSourceProxy does, what would be a transaction of ours belongs in it.
 *
 * <p>That a connection does not commit by itself is no sign of a transaction: there are pools that
 * lend them so, and what is joined to nothing is rolled back by them, though it was acknowledged.
 * So Spring must say that it holds this very session. Thread-safe.
 */
final class Surrounding {
  private static final Logger LOG = LoggerFactory.getLogger(Surrounding.class);
  private static final long WARNING_INTERVAL = Duration.ofMinutes(1).toNanos();

  private final DataSource dataSource;
  private final @Nullable Spring spring = Spring.find().orElse(null);
  private final AtomicLong lastWarning = new AtomicLong(System.nanoTime() - WARNING_INTERVAL);

  Surrounding(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  @FunctionalInterface
  interface Work<R> {
    R on(Connection connection) throws SQLException;
  }

  /** Whether a transaction is open on this thread, joined or not. */
  boolean isOpen() {
    return spring != null && spring.isInTransaction();
  }

  /**
   * Does {@code work} in the surrounding transaction, which is neither committed nor rolled back
   * here; empty, and nothing done, if there is none or the data source takes no part in it.
   *
   * @throws DatabaseException if the database refused; the transaction is to be rolled back
   */
  <R> Optional<R> join(String failed, Work<R> work) {
    if (spring == null || !spring.isInTransaction()) return Optional.empty();
    try (Connection connection = dataSource.getConnection()) {
      if (!connection.getAutoCommit() && spring.holds(connection))
        return Optional.of(work.on(connection));
    } catch (SQLException e) {
      throw new DatabaseException(failed, e);
    }
    warn();
    return Optional.empty();
  }

  /** Says, now and then, that a transaction is open and what is done now is no part of it. */
  void warnIfOpen() {
    if (isOpen()) warn();
  }

  private void warn() {
    long last = lastWarning.get();
    long now = System.nanoTime();
    if (now - last < WARNING_INTERVAL || !lastWarning.compareAndSet(last, now)) return;
    LOG.warn(
        "a Spring transaction is open, and what is enqueued here is no part of it: it stays if that is rolled back;"
            + " give the producer a TransactionAwareDataSourceProxy of the same DataSource, or the connection at each call");
  }
}
