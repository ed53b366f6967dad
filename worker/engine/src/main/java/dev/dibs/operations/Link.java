package dev.dibs.operations;

import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * One connection of a data source, kept as long as it lives and opened anew when it is gone: the
 * server plans what a batch does once a connection. It goes back as it came. Owned by one thread.
 */
final class Link implements AutoCloseable {
  private static final int VALID_SECONDS = 2;

  private final DataSource dataSource;
  private @Nullable Connection connection;
  private boolean autoCommit;
  private int isolation;

  Link(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /** The connection; it commits by itself, and each statement sees what was committed before it. */
  Connection connection() throws SQLException {
    if (connection == null) {
      Connection lent = dataSource.getConnection();
      autoCommit = lent.getAutoCommit();
      if (!autoCommit) lent.setAutoCommit(true);
      isolation = lent.getTransactionIsolation();
      if (isolation != Connection.TRANSACTION_READ_COMMITTED)
        lent.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
      connection = lent;
    }
    return connection;
  }

  /** Whether that came of a connection that is gone, or that could not be had. */
  boolean isLost(SQLException e) {
    String state = String.valueOf(e.getSQLState());
    if (connection == null || state.startsWith("08") || state.startsWith("57P")) return true;
    try {
      return connection.isClosed() || !connection.isValid(VALID_SECONDS);
    } catch (SQLException other) {
      return true;
    }
  }

  /** Forgets a connection that is gone. */
  void drop() {
    if (connection == null) return;
    try {
      connection.close();
    } catch (SQLException e) {
      // it is gone: there is nobody to tell
    } finally {
      connection = null;
    }
  }

  @Override
  public void close() {
    if (connection == null) return;
    try (Connection ours = connection) {
      if (ours.isClosed()) return;
      if (isolation != Connection.TRANSACTION_READ_COMMITTED)
        ours.setTransactionIsolation(isolation);
      if (!autoCommit) ours.setAutoCommit(false);
    } catch (SQLException e) {
      // what was done on it is committed: that it is gone by now is nothing to fail for
    }
  }
}
