package dev.dibs.producer;

import dev.dibs.DatabaseException;
import dev.dibs.EnqueueUnknownException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Puts tasks in on a connection of the data source, which is given back; one commit a load. */
record OwnConnection(DataSource dataSource) {
  private static final String CONNECTION_EXCEPTION = "08";
  private static final String OPERATOR_INTERVENTION = "57P";

  /**
   * @return the ids that were inserted, durably; those missing were there already
   * @throws EnqueueUnknownException if the connection broke meanwhile
   * @throws DatabaseException if the database refused; nothing was enqueued
   */
  Set<UUID> put(int tasks, Inlet.Load load) {
    boolean sent = false;
    @Nullable Set<UUID> inserted = null;
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(true);
      sent = true;
      inserted = load.put(connection);
      return inserted;
    } catch (SQLException e) {
      // Committed: that the connection could not be given back is the data source's trouble.
      if (inserted != null) return inserted;
      throw sent && isBroken(e) ? new EnqueueUnknownException(tasks, e) : refused(tasks, e);
    }
  }

  static DatabaseException refused(int tasks, SQLException e) {
    return new DatabaseException("%d task(s) could not be enqueued".formatted(tasks), e);
  }

  /** Connection failures, and the server going down, which may come after the commit. */
  private static boolean isBroken(SQLException e) {
    String state = e.getSQLState();
    return state == null
        || state.startsWith(CONNECTION_EXCEPTION)
        || state.startsWith(OPERATOR_INTERVENTION);
  }
}
