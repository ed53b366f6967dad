package dev.dibs.operations;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;

/**
 * A look at the database that cannot hurt it: in a transaction of its own that reads only, takes so
 * long at the most and waits for no lock.
 */
final class ShortLook {
  /** What is looked at. */
  interface At<T> {
    T take(Connection connection) throws SQLException;
  }

  private ShortLook() {}

  static <T> T take(Connection connection, Duration atMost, At<T> look) throws SQLException {
    boolean before = connection.getAutoCommit();
    connection.setAutoCommit(false);
    try (var statement = connection.createStatement()) {
      // By index, also on a table of which the planner believes that it is empty.
      statement.execute(
          "set transaction isolation level read committed, read only; set local statement_timeout = %d; set local lock_timeout = 100; set local enable_seqscan = off; set local enable_bitmapscan = off; set local jit = off"
              .formatted(Math.max(1, atMost.toMillis())));
      return look.take(connection);
    } finally {
      connection.rollback();
      connection.setAutoCommit(before);
    }
  }

  /** Why a look failed, in words that quote no row. */
  static String why(SQLException failure) {
    String state = String.valueOf(failure.getSQLState());
    return switch (state) {
      case "57014" -> "it took too long";
      case "55P03" -> "somebody holds a lock on the table";
      case "42501" -> "this role may not";
      case "42P01", "42703", "42883" -> "the schema lacks something (SQLSTATE " + state + ")";
      default -> "SQLSTATE " + state;
    };
  }
}
