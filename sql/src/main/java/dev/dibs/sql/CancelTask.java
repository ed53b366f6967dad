package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.TASK;
import static dev.dibs.sql.schema.enums.TaskStatus.CANCELLED;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.param;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.with;

import dev.dibs.Task;
import dev.dibs.TaskStatus;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jooq.Condition;
import org.jooq.impl.SQLDataType;

/**
 * Calls a task off, whether it waits or runs, and finds what it was.
 *
 * <p>A task that runs is ended too: with its row goes its lease, so whatever its run still writes
 * matches nothing. It is one statement, and under READ COMMITTED a compare-and-set by itself: where
 * a claim, an outcome or a rescue has the row, it is waited for, and the row is ended as that left
 * it, or found in history. A stricter transaction gets 40001 instead. Index: primary key, and
 * task_history_id where the task was not found. Locks: the one row. Thread-safe.
 */
public final class CancelTask {
  /**
   * What was found.
   *
   * @param status the status it had; one of the final ones: nothing was changed
   * @param run the hold of the run that was cut off, where there was one
   */
  public record Found(TaskStatus status, Optional<Task.Hold> run) {}

  private final SqlText cancel;
  private final SqlText past;
  private final SqlText holders;

  public CancelTask(Schema schema) {
    var why =
        field(
            "jsonb_build_object('class', 'cancelled', 'message', {0})",
            SQLDataType.JSONB, param("reason", SQLDataType.CLOB).cast(SQLDataType.CLOB));
    var cancelled =
        EndedTasks.takeAway(
            "cancelled",
            TASK.ID.eq(param("id", UUID.class)),
            inline(CANCELLED),
            EndedTasks.errorsAnd(why),
            TASK.LOSSES);
    this.cancel =
        SqlText.of(
            schema,
            with(cancelled)
                .with(EndedTasks.archive("archived", "cancelled"))
                .select(EndedTasks.STATUS_BEFORE, EndedTasks.LEASE_BEFORE)
                .from(name("cancelled")));
    this.past = SqlText.of(schema, EndedTasks.lastStatus());
    Condition same =
        TASK.QUEUE
            .eq(param("queue", SQLDataType.CLOB))
            .and(TASK.UNIQUE_KEY.eq(param("key", SQLDataType.CLOB)));
    this.holders =
        SqlText.of(
            schema,
            select(TASK.ID)
                .from(TASK)
                .where(same)
                .and(TASK.ATTEMPT.eq(inline(0)))
                .union(select(TASK.ID).from(TASK).where(same).and(TASK.UNIQUE_HOLD)));
  }

  /**
   * Cancels in the transaction of {@code connection}; the run of a task that ran is to be told when
   * that commits.
   *
   * @return what the task was; empty if there is none of this id, or none any more
   */
  public Optional<Found> cancel(Connection connection, UUID id, String reason) throws SQLException {
    try (var statement = cancel.prepare(connection, Map.of("id", id, "reason", reason));
        var rows = statement.executeQuery()) {
      if (rows.next()) {
        Optional<UUID> lease = Optional.ofNullable(rows.getObject(2, UUID.class));
        return Optional.of(
            new Found(
                TaskStatus.valueOf(rows.getString(1)), lease.map(held -> new Task.Hold(id, held))));
      }
    }
    try (var statement = past.prepare(connection, Map.of("id", id));
        var rows = statement.executeQuery()) {
      return rows.next()
          ? Optional.of(new Found(TaskStatus.valueOf(rows.getString(1)), Optional.empty()))
          : Optional.empty();
    }
  }

  /**
   * The tasks that a unique key stands for: the one that waits for its first claim, and the one
   * that holds the key to its end, which may be two, one or none.
   */
  public List<UUID> holders(Connection connection, String queue, String key) throws SQLException {
    try (var statement = holders.prepare(connection, Map.of("queue", queue, "key", key));
        var rows = statement.executeQuery()) {
      List<UUID> ids = new ArrayList<>();
      while (rows.next()) ids.add(rows.getObject(1, UUID.class));
      return ids;
    }
  }

  /** The statement, for those who review it. */
  SqlText text() {
    return cancel;
  }
}
