package dev.dibs.sql;

import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;

/**
 * Recognises a pooler that lends server sessions by the transaction, such as pgbouncer: two open
 * connections are then served by one session, or one connection by two.
 */
public final class Pooler {
  private Pooler() {}

  /**
   * Whether one is between {@code dataSource} and the server. A pooler that gives each of two idle
   * connections a session of its own, time and again, is not recognised.
   */
  public static boolean isBetween(DataSource dataSource) throws SQLException {
    try (Connection one = dataSource.getConnection();
        Connection other = dataSource.getConnection()) {
      one.setAutoCommit(true);
      other.setAutoCommit(true);
      String first = session(one);
      return first.equals(session(other)) || !first.equals(session(one));
    }
  }

  /**
   * The server's session, which a process id alone does not name: after a failover it may repeat.
   */
  private static String session(Connection connection) throws SQLException {
    try (var statement = connection.createStatement();
        var rows =
            statement.executeQuery(
                "select pg_backend_pid() || ' since ' || pg_postmaster_start_time()")) {
      rows.next();
      return rows.getString(1);
    }
  }
}
