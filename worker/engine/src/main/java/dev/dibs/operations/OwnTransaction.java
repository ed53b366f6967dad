package dev.dibs.operations;

import dev.dibs.DatabaseException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Set;
import javax.sql.DataSource;
import org.jooq.exception.DataAccessException;

/**
 * Transactions of our own on connections of the data source, which go back as they came: short, and
 * ended by the server where they are not. Thread-safe.
 */
final class OwnTransaction {
  /**
   * What is read in several statements is of one moment; walks go by index, whatever is believed.
   */
  private static final String READING =
      "set transaction isolation level repeatable read, read only; set local statement_timeout = '1s';"
          + " set local lock_timeout = '100ms'; set local enable_seqscan = off;"
          + " set local enable_bitmapscan = off; set local jit = off;"
          + " set local max_parallel_workers_per_gather = 0";

  /** Who waits for a row looks at it as it is then. */
  private static final String ACTING =
      "set transaction isolation level read committed; set local statement_timeout = '20s';"
          + " set local lock_timeout = '10s'; set local jit = off";

  /** Two transactions met; the one that was rolled back may simply be repeated. */
  private static final Set<String> OVERTAKEN = Set.of("40001", "40P01");

  private static final String BAD_VALUE = "22023";
  private static final int TRIES = 5;

  private final DataSource dataSource;

  OwnTransaction(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  @FunctionalInterface
  interface Work<R> {
    R on(Connection connection) throws SQLException;
  }

  /** Reads, and changes nothing. */
  <R> R read(String failed, Work<R> work) {
    return again(failed, READING, work);
  }

  /**
   * Acts, and commits.
   *
   * @throws IllegalArgumentException if the database refuses a value
   */
  <R> R act(String failed, Work<R> work) {
    try {
      return again(failed, ACTING, work);
    } catch (DatabaseException e) {
      if (!e.sqlState().equals(BAD_VALUE)) throw e;
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  private <R> R again(String failed, String setUp, Work<R> work) {
    for (int tries = 1; ; tries++) {
      try {
        return once(setUp, work);
      } catch (SQLException e) {
        if (tries == TRIES || e.getSQLState() == null || !OVERTAKEN.contains(e.getSQLState()))
          throw new DatabaseException(failed, e);
      }
    }
  }

  private <R> R once(String setUp, Work<R> work) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      boolean autoCommit = connection.getAutoCommit();
      connection.setAutoCommit(false);
      boolean committed = false;
      try (var statement = connection.createStatement()) {
        statement.execute(setUp);
        R done = unwrapping(work, connection);
        connection.commit();
        committed = true;
        return done;
      } finally {
        if (!connection.isClosed()) {
          if (!committed) connection.rollback();
          connection.setAutoCommit(autoCommit);
        }
      }
    }
  }

  /** Does {@code work}; what the database refused comes as it said it, not in jOOQ's wrapping. */
  static <R> R unwrapping(Work<R> work, Connection connection) throws SQLException {
    try {
      return work.on(connection);
    } catch (DataAccessException e) {
      SQLException cause = e.getCause(SQLException.class);
      if (cause == null) throw e;
      throw cause;
    }
  }
}
