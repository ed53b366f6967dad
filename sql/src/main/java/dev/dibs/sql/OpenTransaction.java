package dev.dibs.sql;

import java.sql.Connection;
import java.sql.SQLException;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;

/** Looks whether a transaction is open on a connection that commits only when told. */
public final class OpenTransaction {
  private static final String HAS_WRITTEN = "select pg_current_xact_id_if_assigned() is not null";

  private OpenTransaction() {}

  /**
   * Whether the transaction that is open on {@code connection} has written or locked something. The
   * server is asked only if one is open, or if the driver cannot be seen. That one is open alone
   * says little: a pool that looks whether its connection lives opens one, too.
   *
   * @throws SQLException also if the transaction was aborted
   */
  public static boolean hasWritten(Connection connection) throws SQLException {
    if (isIdle(connection)) return false;
    try (var statement = connection.createStatement();
        var rows = statement.executeQuery(HAS_WRITTEN)) {
      return rows.next() && rows.getBoolean(1);
    }
  }

  private static boolean isIdle(Connection connection) throws SQLException {
    return connection.isWrapperFor(BaseConnection.class)
        && connection.unwrap(BaseConnection.class).getTransactionState() == TransactionState.IDLE;
  }
}
