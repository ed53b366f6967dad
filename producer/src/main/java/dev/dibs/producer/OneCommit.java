package dev.dibs.producer;

import dev.dibs.sql.Replication;
import java.sql.Connection;
import java.sql.SQLException;

/** Several statements on a connection that commits by itself, in one commit or none. */
final class OneCommit {
  private OneCommit() {}

  /** What is done on the connection. */
  interface Work {
    Landings run() throws SQLException;
  }

  /**
   * Runs {@code work} and commits.
   *
   * @throws SQLException of state {@link Replication#UNKNOWN} if it was committed here, and nobody
   *     waited for the standby that was to have it too
   */
  static Landings of(Connection connection, Work work) throws SQLException {
    connection.setAutoCommit(false);
    try {
      // Who meets a unique key that is held must see by whom, also if that was committed since.
      execute(connection, "set transaction isolation level read committed");
      Landings landings = work.run();
      connection.clearWarnings();
      connection.commit();
      Replication.check(connection.getWarnings());
      connection.setAutoCommit(true);
      return landings;
    } catch (SQLException | RuntimeException | Error e) {
      undo(connection, e);
      throw e;
    }
  }

  static void execute(Connection connection, String sql) throws SQLException {
    try (var statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static void undo(Connection connection, Throwable reason) {
    try {
      connection.rollback();
      connection.setAutoCommit(true);
    } catch (SQLException e) {
      reason.addSuppressed(e);
    }
  }
}
