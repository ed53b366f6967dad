package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.TASK;
import static dev.dibs.sql.schema.Tables.TASK_HISTORY;
import static dev.dibs.sql.schema.enums.TaskStatus.CANCELLED;
import static dev.dibs.sql.schema.enums.TaskStatus.PROCESSING;
import static org.jooq.impl.DSL.any;
import static org.jooq.impl.DSL.exists;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.lateral;
import static org.jooq.impl.DSL.notExists;
import static org.jooq.impl.DSL.param;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.selectOne;
import static org.jooq.impl.DSL.trueCondition;

import dev.dibs.Task;
import dev.dibs.TaskStatus;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jooq.impl.SQLDataType;

/**
 * Finds out what became of an exchange, or an enqueue, whose answer never came.
 *
 * <p>Index: task_held for claims, task_history_id for outcomes. Locks: none. Thread-safe.
 */
public final class ReadBack {
  private final SqlText claimed;
  private final SqlText held;
  private final SqlText traces;
  private final SqlText ended;
  private final SqlText gone;

  public ReadBack(Schema schema) {
    this.gone = gone(schema);
    this.claimed =
        SqlText.of(
            schema,
            select(ClaimedRow.columns())
                .from(TASK)
                .where(TASK.STATUS.eq(inline(PROCESSING)))
                .and(TASK.WORKER_ID.eq(param("worker", UUID.class)))
                .and(TASK.LEASE.eq(param("lease", UUID.class))));
    this.held =
        SqlText.of(
            schema,
            select(TASK.ID, TASK.LEASE)
                .from(TASK)
                .where(TASK.STATUS.eq(inline(PROCESSING)))
                .and(TASK.WORKER_ID.eq(param("worker", UUID.class))));
    this.traces = traces(schema);
    this.ended =
        SqlText.of(
            schema,
            select(TASK_HISTORY.ID)
                .from(TASK_HISTORY)
                .where(TASK_HISTORY.ID.eq(any(param("ids", SQLDataType.UUID.getArrayDataType())))));
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

  /** All that is held in the name of {@code worker}. */
  public List<Task.Hold> heldBy(Connection connection, UUID worker) throws SQLException {
    try (var statement = held.prepare(connection, Map.of("worker", worker));
        var rows = statement.executeQuery()) {
      List<Task.Hold> holds = new ArrayList<>();
      while (rows.next())
        holds.add(new Task.Hold(rows.getObject(1, UUID.class), rows.getObject(2, UUID.class)));
      return holds;
    }
  }

  /**
   * Those of {@code holds} that hold no task any more, and whether the task was cancelled. One
   * statement for all of them.
   */
  public Map<Task.Hold, Boolean> gone(Connection connection, List<Task.Hold> holds)
      throws SQLException {
    var arrays = new Arrays(connection);
    Map<String, Object> values =
        Map.of(
            "ids", arrays.uuid(holds, Task.Hold::id),
            "leases", arrays.uuid(holds, Task.Hold::lease));
    try (var statement = gone.prepare(connection, values);
        var rows = statement.executeQuery()) {
      Map<Task.Hold, Boolean> found = new HashMap<>();
      while (rows.next()) {
        found.put(
            new Task.Hold(rows.getObject(1, UUID.class), rows.getObject(2, UUID.class)),
            rows.getBoolean(3));
      }
      return found;
    }
  }

  private static SqlText gone(Schema schema) {
    var holds = new Columns("h");
    var id = holds.column("id", "ids", SQLDataType.UUID);
    var lease = holds.column("lease", "leases", SQLDataType.UUID);
    var held = selectOne().from(TASK).where(TASK.ID.eq(id)).and(TASK.LEASE.eq(lease));
    var cancelled =
        selectOne()
            .from(TASK_HISTORY)
            .where(TASK_HISTORY.ID.eq(id))
            .and(TASK_HISTORY.STATUS.eq(inline(CANCELLED)));
    return SqlText.of(
        schema,
        select(id, lease, field(exists(cancelled))).from(holds.rows()).where(notExists(held)));
  }

  /** Those of {@code ids} whose tasks have ended, as far as history is kept. */
  public Set<UUID> ended(Connection connection, Collection<UUID> ids) throws SQLException {
    if (ids.isEmpty()) return Set.of();
    var array = connection.createArrayOf("uuid", ids.toArray());
    try (var statement = ended.prepare(connection, Map.of("ids", array));
        var rows = statement.executeQuery()) {
      Set<UUID> found = new HashSet<>();
      while (rows.next()) found.add(rows.getObject(1, UUID.class));
      return found;
    }
  }

  /**
   * What a task looks like, or looked like when it ended.
   *
   * @param lease who holds it, or whose outcome ended it
   */
  public record Trace(
      TaskStatus status, Optional<UUID> lease, int attempt, int failures, int losses) {}

  /** The traces of one task: as it is, where it is unfinished, and as it ended. */
  public record Traces(Optional<Trace> live, Optional<Trace> past) {}

  /**
   * What became of the tasks of {@code holds}, by id; of several endings that which the hold
   * brought about, else the last.
   */
  public Map<UUID, Traces> traces(Connection connection, List<Task.Hold> holds)
      throws SQLException {
    var arrays = new Arrays(connection);
    Map<String, Object> values =
        Map.of(
            "ids", arrays.uuid(holds, Task.Hold::id),
            "leases", arrays.uuid(holds, Task.Hold::lease));
    try (var statement = traces.prepare(connection, values);
        var rows = statement.executeQuery()) {
      Map<UUID, Traces> found = new HashMap<>();
      while (rows.next())
        found.put(rows.getObject(1, UUID.class), new Traces(trace(rows, 2), trace(rows, 7)));
      return found;
    }
  }

  private static Optional<Trace> trace(ResultSet row, int first) throws SQLException {
    String status = row.getString(first);
    if (status == null) return Optional.empty();
    return Optional.of(
        new Trace(
            TaskStatus.valueOf(status),
            Optional.ofNullable(row.getObject(first + 1, UUID.class)),
            row.getInt(first + 2),
            row.getInt(first + 3),
            row.getInt(first + 4)));
  }

  private static SqlText traces(Schema schema) {
    var holds = new Columns("h");
    var id = holds.column("id", "ids", SQLDataType.UUID);
    var lease = holds.column("lease", "leases", SQLDataType.UUID);
    var live =
        lateral(
                select(TASK.STATUS, TASK.LEASE, TASK.ATTEMPT, TASK.FAILURES, TASK.LOSSES)
                    .from(TASK)
                    .where(TASK.ID.eq(id))
                    .limit(inline(1)))
            .as("t");
    var past =
        lateral(
                select(
                        TASK_HISTORY.STATUS,
                        TASK_HISTORY.LEASE,
                        TASK_HISTORY.ATTEMPT,
                        TASK_HISTORY.FAILURES,
                        TASK_HISTORY.LOSSES)
                    .from(TASK_HISTORY)
                    .where(TASK_HISTORY.ID.eq(id))
                    .orderBy(
                        field(TASK_HISTORY.LEASE.isNotDistinctFrom(lease)).desc(),
                        TASK_HISTORY.FINISHED_AT.desc())
                    .limit(inline(1)))
            .as("p");
    return SqlText.of(
        schema,
        select(id)
            .select(live.fields())
            .select(past.fields())
            .from(holds.rows())
            .leftJoin(live)
            .on(trueCondition())
            .leftJoin(past)
            .on(trueCondition()));
  }
}
