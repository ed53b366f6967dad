package dev.dibs.producer;

import dev.dibs.DatabaseException;
import dev.dibs.sql.Schema;
import java.sql.Connection;
import java.sql.SQLException;

/** Says who may do what the database refused to a user for want of rights. */
final class Rights {
  private static final String INSUFFICIENT_PRIVILEGE = "42501";

  private Rights() {}

  /**
   * Does {@code work}, which only a member of the schema's worker role may.
   *
   * @param what it is, for the message
   */
  static <R> R asWorker(Schema schema, String what, Connection connection, Surrounding.Work<R> work)
      throws SQLException {
    try {
      return work.on(connection);
    } catch (SQLException e) {
      if (!INSUFFICIENT_PRIVILEGE.equals(e.getSQLState())) throw e;
      throw new SQLException(
          "user '%s' may not, %s takes a member of %s_worker; a producer may only enqueue (%s)"
              .formatted(
                  connection.getMetaData().getUserName(),
                  what,
                  schema.name(),
                  DatabaseException.reason(e)),
          INSUFFICIENT_PRIVILEGE,
          e);
    }
  }
}
