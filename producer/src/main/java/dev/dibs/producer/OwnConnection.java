package dev.dibs.producer;

import dev.dibs.DatabaseException;
import dev.dibs.EnqueueUnknownException;
import dev.dibs.sql.Replication;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Puts tasks in on a connection of the data source, which is given back; one commit a load.
 *
 * <p>When the connection breaks before the answer came, the load is put in once more, on another
 * one. The first time may have been committed, and its tasks may have run and ended since: that the
 * ids are not in task says nothing. So a repeated load looks for its ids in history too, after its
 * insert and before its commit: an id that could be inserted either never was before, or has left
 * task for history already, and then it is taken back. Thread-safe.
 */
final class OwnConnection {
  private static final String CONNECTION_EXCEPTION = "08";

  /** A table, schema or function. */
  private static final Set<String> MISSING = Set.of("42P01", "3F000", "42883");

  private static final String OPERATOR_INTERVENTION = "57P";

  /** Two transactions met; the one that was rolled back may simply be repeated. */
  private static final Set<String> OVERTAKEN = Set.of("40001", "40P01");

  private static final int TRIES = 5;

  private final DataSource dataSource;
  private final Doubts doubts = new Doubts();

  OwnConnection(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /**
   * @param ids of the tasks of {@code load}
   * @return what became of them, durably
   * @throws EnqueueUnknownException if the connection broke, also when it was tried again
   * @throws DatabaseException if the database refused; nothing was enqueued
   */
  Landings put(Collection<UUID> ids, Inlet.Load load) {
    if (doubts.holdAny(ids)) return putAgain(ids, load, null);
    for (int tries = 1; ; tries++) {
      try {
        return putOnce(ids, load);
      } catch (DatabaseException e) {
        if (e instanceof EnqueueUnknownException
            || tries == TRIES
            || !OVERTAKEN.contains(e.sqlState())) throw e;
      }
    }
  }

  private Landings putOnce(Collection<UUID> ids, Inlet.Load load) {
    boolean sent = false;
    @Nullable Landings landings = null;
    try (Lent lent = Lent.from(dataSource)) {
      sent = true;
      landings = load.putAlone(lent.connection());
      return landings;
    } catch (SQLException e) {
      // Committed: that the connection could not be given back is the data source's trouble.
      if (landings != null) return landings;
      if (Replication.UNKNOWN.equals(e.getSQLState())) throw unknown(ids, e);
      if (sent && isBroken(e)) return putAgain(ids, load, e);
      throw refused(ids.size(), e);
    }
  }

  /**
   * Puts the load in though it may have been put in before; {@code first} is what befell it then.
   */
  private Landings putAgain(Collection<UUID> ids, Inlet.Load load, @Nullable SQLException first) {
    @Nullable Landings landings = null;
    try (Lent lent = Lent.from(dataSource)) {
      landings = putUnlessEnded(lent.connection(), load);
      doubts.settle(ids);
      return landings;
    } catch (SQLException e) {
      if (landings != null) return landings;
      if (first != null && !first.equals(e)) e.addSuppressed(first);
      throw unknown(ids, e);
    }
  }

  private Landings putUnlessEnded(Connection connection, Inlet.Load load) throws SQLException {
    connection.setAutoCommit(false);
    boolean committed = false;
    try (var statement = connection.createStatement()) {
      // What was committed while the insert waited must be seen.
      statement.execute("set transaction isolation level read committed");
      Landings landings = load.putAgain(connection);
      connection.clearWarnings();
      connection.commit();
      committed = true;
      Replication.check(connection.getWarnings());
      return landings;
    } finally {
      if (!committed) connection.rollback();
      connection.setAutoCommit(true);
    }
  }

  private EnqueueUnknownException unknown(Collection<UUID> ids, SQLException e) {
    doubts.add(ids);
    return new EnqueueUnknownException(ids.size(), e);
  }

  static DatabaseException refused(int tasks, SQLException e) {
    String wayOut =
        MISSING.contains(String.valueOf(e.getSQLState()))
            ? " (is the schema there? `dibs migrate` makes it)"
            : "";
    return new DatabaseException(refusal(tasks) + wayOut, e);
  }

  static String refusal(int tasks) {
    return "%d task(s) could not be enqueued".formatted(tasks);
  }

  /** Connection failures, and the server going down, which may come after the commit. */
  private static boolean isBroken(SQLException e) {
    String state = e.getSQLState();
    return state == null
        || state.startsWith(CONNECTION_EXCEPTION)
        || state.startsWith(OPERATOR_INTERVENTION);
  }
}
