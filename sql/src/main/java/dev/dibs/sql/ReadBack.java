package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.TASK;
import static dev.dibs.sql.schema.Tables.TASK_HISTORY;
import static dev.dibs.sql.schema.enums.TaskStatus.PROCESSING;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.param;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.selectOne;

import dev.dibs.Task;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Finds out what became of an exchange whose answer never came.
 *
 * <p>Index: task_held for claims, task_history_id for outcomes. Locks: none. Thread-safe.
 */
public final class ReadBack {
  private final SqlText claimed;
  private final SqlText ended;

  public ReadBack(Schema schema) {
    this.claimed =
        SqlText.of(
            schema,
            select(ClaimedRow.columns())
                .from(TASK)
                .where(TASK.STATUS.eq(inline(PROCESSING)))
                .and(TASK.WORKER_ID.eq(param("worker", UUID.class)))
                .and(TASK.LEASE.eq(param("lease", UUID.class))));
    this.ended =
        SqlText.of(
            schema,
            selectOne()
                .from(TASK_HISTORY)
                .where(TASK_HISTORY.ID.eq(param("id", UUID.class)))
                .and(TASK_HISTORY.LEASE.eq(param("lease", UUID.class))));
  }

  /**
   * The tasks that {@code worker} holds by {@code lease}: the claim was committed if there are any.
   */
  public List<Task> claimedBy(Connection connection, UUID worker, UUID lease) throws SQLException {
    try (var statement = claimed.prepare(connection, Map.of("worker", worker, "lease", lease));
        var rows = statement.executeQuery()) {
      List<Task> tasks = new ArrayList<>();
      while (rows.next()) tasks.add(ClaimedRow.read(rows, lease));
      return tasks;
    }
  }

  /** Whether it was this very run that ended the task. */
  public boolean wasEndedBy(Connection connection, Task.Hold hold) throws SQLException {
    try (var statement = ended.prepare(connection, Map.of("id", hold.id(), "lease", hold.lease()));
        var rows = statement.executeQuery()) {
      return rows.next();
    }
  }
}
