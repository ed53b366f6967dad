package dev.dibs.producer;

import dev.dibs.sql.OpenTransaction;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;

/**
 * A connection that the data source lends for a transaction of ours; it goes back as it came. Owned
 * by one thread.
 *
 * <p>Some pools lend connections that commit only when told. On such a connection the transaction
 * of somebody else may be open; to let it commit by itself would commit what they wrote.
 */
final class Lent implements AutoCloseable {
  private static final String ACTIVE_TRANSACTION = "25001";

  private final Connection connection;
  private final boolean autoCommit;

  private Lent(Connection connection, boolean autoCommit) {
    this.connection = connection;
    this.autoCommit = autoCommit;
  }

  /**
   * Borrows a connection that commits by itself.
   *
   * @throws SQLException also if somebody else's transaction is open on it; that is left as it is
   */
  static Lent from(DataSource dataSource) throws SQLException {
    Connection connection = dataSource.getConnection();
    try {
      boolean autoCommit = connection.getAutoCommit();
      if (!autoCommit && OpenTransaction.hasWritten(connection))
        throw new SQLException(
            "the data source lent a connection on which somebody's transaction is open; if it is yours, pass the connection itself",
            ACTIVE_TRANSACTION);
      connection.setAutoCommit(true);
      return new Lent(connection, autoCommit);
    } catch (SQLException | RuntimeException | Error e) {
      giveBack(connection, e);
      throw e;
    }
  }

  private static void giveBack(Connection connection, Throwable reason) {
    try {
      connection.close();
    } catch (SQLException e) {
      reason.addSuppressed(e);
    }
  }

  Connection connection() {
    return connection;
  }

  @Override
  public void close() throws SQLException {
    try (connection) {
      if (!autoCommit && !connection.isClosed()) connection.setAutoCommit(false);
    }
  }
}
