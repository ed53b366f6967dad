package dev.dibs.containers;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.UUID;
import javax.sql.DataSource;

/** What the database says came of the tasks, read from outside. */
final class Ledger {
  private static final String ENDED = "from dibs.task_history h join unnest(?) t(id) using (id)";

  private final DataSource source;

  Ledger(DataSource source) {
    this.source = source;
  }

  /** Whether the server answers. */
  boolean answers() {
    try (Connection connection = source.getConnection()) {
      return connection.isValid(1);
    } catch (SQLException e) {
      return false;
    }
  }

  void execute(String sql) {
    try (Connection connection = source.getConnection();
        var statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new IllegalStateException(sql, e);
    }
  }

  /** How many of these tasks succeeded; one that did so twice counts twice. */
  long succeeded(Collection<UUID> tasks) {
    return number("select count(*) " + ENDED + " where status = 'SUCCEEDED'", tasks);
  }

  /** How many of these are neither waiting nor running nor ended: lost. */
  long lost(Collection<UUID> tasks) {
    return number(
        """
        select count(*) from unnest(?) t(id)
        where not exists (select from dibs.task where task.id = t.id)
          and not exists (select from dibs.task_history h where h.id = t.id)
        """,
        tasks);
  }

  /** Failures of all their attempts. */
  long failures(Collection<UUID> tasks) {
    return number("select coalesce(sum(failures), 0) " + ENDED, tasks);
  }

  /** Workers that died on them. */
  long losses(Collection<UUID> tasks) {
    return number("select coalesce(sum(losses), 0) " + ENDED, tasks);
  }

  /** Rows that these tasks' handlers left. */
  long effects(Collection<UUID> tasks) {
    return number("select count(*) from effect e join unnest(?) t(id) on t.id = e.task", tasks);
  }

  /** Those of them that the handlers of this version left. */
  long effects(Collection<UUID> tasks, int version) {
    return number(
        "select count(*) from effect e join unnest(?) t(id) on t.id = e.task where version = "
            + version,
        tasks);
  }

  /** How many tasks the worker of this name runs now, as far as the database knows. */
  long heldBy(String worker) {
    return number(
        """
        select count(*) from dibs.task join dibs.worker w on w.id = worker_id
        where task.status = 'PROCESSING' and host = '%s'
        """
            .formatted(worker));
  }

  /** How many workers of this name are alive, as far as the database knows. */
  long living(String worker) {
    return number(
        "select count(*) from dibs.worker where status = 'LIVE' and lease_until > clock_timestamp() and host = '%s'"
            .formatted(worker));
  }

  long number(String sql) {
    try (Connection connection = source.getConnection();
        PreparedStatement statement = connection.prepareStatement(sql)) {
      return only(statement);
    } catch (SQLException e) {
      throw new IllegalStateException(sql, e);
    }
  }

  private long number(String sql, Collection<UUID> tasks) {
    try (Connection connection = source.getConnection();
        PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setArray(1, connection.createArrayOf("uuid", tasks.toArray()));
      return only(statement);
    } catch (SQLException e) {
      throw new IllegalStateException(sql, e);
    }
  }

  private static long only(PreparedStatement statement) throws SQLException {
    try (ResultSet rows = statement.executeQuery()) {
      if (!rows.next()) throw new IllegalStateException("no row");
      return rows.getLong(1);
    }
  }
}
