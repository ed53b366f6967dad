package dev.dibs.sql;

import static dev.dibs.sql.schema.Sequences.TASK_POSITION;
import static dev.dibs.sql.schema.Tables.TASK;
import static dev.dibs.sql.schema.enums.TaskStatus.BLOCKED;
import static dev.dibs.sql.schema.enums.TaskStatus.PENDING;
import static dev.dibs.sql.schema.enums.TaskStatus.SCHEDULED;
import static org.jooq.impl.DSL.coalesce;
import static org.jooq.impl.DSL.condition;
import static org.jooq.impl.DSL.greatest;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.param;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.update;
import static org.jooq.impl.DSL.when;

import dev.dibs.Due;
import dev.dibs.Priority;
import dev.dibs.TaskStatus;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jooq.Condition;
import org.jooq.Field;
import org.jooq.Query;
import org.jooq.impl.SQLDataType;
import org.jspecify.annotations.Nullable;

/**
 * Changes a task that waits, and finds what it was.
 *
 * <p>One statement, and a compare-and-set by itself: a task that is claimed meanwhile is left as it
 * is. Who gets another run time or priority goes to the end of its lane. Index: primary key, and
 * task_history_id where the task was not found. Locks: the one row. Thread-safe.
 */
public final class EditTask {
  /**
   * What is to be changed; what is not given stays.
   *
   * @param payload JSON
   */
  public record Edit(Optional<String> payload, Optional<Due> due, Optional<Priority> priority) {}

  /**
   * What was found.
   *
   * @param status the status it had, or has now if it was changed
   * @param edited whether it waited, and so was changed
   */
  public record Found(TaskStatus status, boolean edited) {}

  private final SqlText edit;
  private final SqlText live;
  private final SqlText past;

  public EditTask(Schema schema) {
    this.edit = SqlText.of(schema, edit());
    Condition same = TASK.ID.eq(param("id", UUID.class));
    this.live = SqlText.of(schema, select(TASK.STATUS).from(TASK).where(same));
    this.past = SqlText.of(schema, EndedTasks.lastStatus());
  }

  private static Query edit() {
    Field<Long> delay = param("delay", SQLDataType.BIGINT).cast(SQLDataType.BIGINT);
    Field<OffsetDateTime> at =
        param("runAt", SQLDataType.TIMESTAMPWITHTIMEZONE).cast(SQLDataType.TIMESTAMPWITHTIMEZONE);
    Condition isTimed = condition(param("timed", SQLDataType.BOOLEAN));
    Field<OffsetDateTime> due =
        greatest(coalesce(at, Time.now().add(Time.micros(delay))), Time.now());
    Field<Short> priority = param("priority", SQLDataType.SMALLINT).cast(SQLDataType.SMALLINT);
    Condition becomesReady = isTimed.and(due.le(Time.now())).and(TASK.STATUS.eq(inline(SCHEDULED)));
    Condition changesLane = coalesce(priority, TASK.PRIORITY).ne(TASK.PRIORITY);
    return update(TASK)
        .set(
            TASK.PAYLOAD,
            coalesce(param("payload", SQLDataType.CLOB).cast(SQLDataType.JSONB), TASK.PAYLOAD))
        .set(TASK.PRIORITY, coalesce(priority, TASK.PRIORITY))
        .set(TASK.RUN_AT, when(isTimed, due).otherwise(TASK.RUN_AT))
        .set(
            TASK.STATUS,
            when(TASK.STATUS.eq(inline(BLOCKED)).or(isTimed.not()), TASK.STATUS)
                .when(due.le(Time.now()), inline(PENDING))
                .otherwise(inline(SCHEDULED)))
        .set(
            TASK.POSITION,
            when(becomesReady.or(changesLane), TASK_POSITION.nextval()).otherwise(TASK.POSITION))
        .where(TASK.ID.eq(param("id", UUID.class)))
        .and(TASK.STATUS.in(inline(PENDING), inline(SCHEDULED), inline(BLOCKED)))
        .returningResult(TASK.STATUS);
  }

  /**
   * Edits in the transaction of {@code connection}; until that ends the task is locked, and not
   * claimed.
   *
   * @return what the task was; empty if there is none of this id, or none any more
   */
  public Optional<Found> editIfWaiting(Connection connection, UUID id, Edit edit)
      throws SQLException {
    Optional<TaskStatus> edited = status(connection, this.edit, values(id, edit));
    if (edited.isPresent()) return Optional.of(new Found(edited.get(), true));
    Map<String, Object> key = Map.of("id", id);
    Optional<TaskStatus> other = status(connection, live, key);
    if (other.isEmpty()) other = status(connection, past, key);
    return other.map(status -> new Found(status, false));
  }

  private static Map<String, @Nullable Object> values(UUID id, Edit edit) {
    Map<String, @Nullable Object> values = new HashMap<>();
    values.put("id", id);
    values.put("payload", edit.payload().orElse(null));
    values.put("priority", edit.priority().map(Priority::level).orElse(null));
    values.put("timed", edit.due().isPresent());
    Due due = edit.due().orElse(new Due.Now());
    values.put("delay", InsertTasks.delay(due));
    values.put(
        "runAt", due instanceof Due.At(var instant) ? instant.atOffset(ZoneOffset.UTC) : null);
    return values;
  }

  private static Optional<TaskStatus> status(
      Connection connection, SqlText text, Map<String, ? extends @Nullable Object> values)
      throws SQLException {
    try (var statement = text.prepare(connection, values);
        var rows = statement.executeQuery()) {
      return rows.next() ? Optional.of(TaskStatus.valueOf(rows.getString(1))) : Optional.empty();
    }
  }

  /** The statement, for those who review it. */
  SqlText text() {
    return edit;
  }
}
