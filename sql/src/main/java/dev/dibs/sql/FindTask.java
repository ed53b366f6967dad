package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.TASK;
import static dev.dibs.sql.schema.Tables.TASK_HISTORY;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.table;

import dev.dibs.TaskPage;
import dev.dibs.TaskRow;
import java.sql.Connection;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.SelectField;
import org.jooq.Table;
import org.jooq.impl.SQLDataType;
import org.jspecify.annotations.Nullable;

/**
 * Finds one task by its id, unfinished or finished, with the errors of its attempts.
 *
 * <p>Index: primary key, task_history_id; of history first the partitions where the id should be.
 * Locks nothing. One to three statements, and one for the errors. Thread-safe.
 */
public final class FindTask {
  private static final ShownRow SHOWN = new ShownRow(table(name("w")));

  private final Schema schema;

  public FindTask(Schema schema) {
    this.schema = schema;
  }

  /** The task as it is, or as it ended last; empty if there is none, or none any more. */
  public Optional<TaskPage> find(Connection connection, UUID id) {
    DSLContext dsl = schema.dsl(connection);
    Condition same = TASK_HISTORY.ID.eq(id);
    OffsetDateTime since = EndedSince.one(id);
    return find(dsl, false, TASK.ID.eq(id))
        .or(() -> find(dsl, true, same.and(TASK_HISTORY.FINISHED_AT.ge(since))))
        .or(() -> find(dsl, true, same.and(TASK_HISTORY.FINISHED_AT.lt(since))));
  }

  private static Optional<TaskPage> find(DSLContext dsl, boolean isHistory, Condition which) {
    Table<?> table = isHistory ? TASK_HISTORY : TASK;
    List<SelectField<?>> taken = new ArrayList<>(ShownRow.taken(isHistory));
    taken.add(isHistory ? TASK_HISTORY.TIMEOUT : TASK.TIMEOUT);
    var found =
        select(taken)
            .from(table)
            .where(which)
            .orderBy(isHistory ? TASK_HISTORY.FINISHED_AT.desc() : TASK.CREATED_AT.desc())
            .limit(1)
            .asTable("w");
    var timeout =
        field(
            "extract(epoch from {0})::float8",
            SQLDataType.DOUBLE, field(name("w", "timeout"), SQLDataType.INTERVAL));
    return dsl.select(SHOWN.shown())
        .select(
            timeout.as("seconds"), SHOWN.of(TASK.ERRORS).as("all_errors"), Time.clock().as("now"))
        .from(found)
        .fetchOptional()
        .map(row -> page(dsl, row));
  }

  private static TaskPage page(DSLContext dsl, Record row) {
    TaskRow shown = ShownRow.read(row);
    @Nullable Double seconds = row.get("seconds", Double.class);
    return new TaskPage(
        shown,
        Optional.ofNullable(seconds).map(s -> Duration.ofMillis(Math.round(s * 1e3))),
        errors(dsl, row),
        row.get("now", OffsetDateTime.class).toInstant());
  }

  /** The database takes them apart: they are its JSON, whoever wrote them. */
  private static List<TaskPage.AttemptError> errors(DSLContext dsl, Record row) {
    var errors = row.get("all_errors", org.jooq.JSONB.class);
    if (errors == null) return List.of();
    return dsl.resultQuery(
            """
            select coalesce((e ->> 'attempt')::integer, 0), coalesce((e ->> 'at')::timestamptz, 'epoch'),
              coalesce(e ->> 'class', ''), coalesce(e ->> 'message', concat_ws(' on ', e ->> 'worker', e ->> 'host')), coalesce(e ->> 'group', ''), coalesce(e ->> 'stack', '')
            from jsonb_array_elements({0}) with ordinality a (e, n) order by n\
            """,
            org.jooq.impl.DSL.val(errors))
        .fetch(error ->
            new TaskPage.AttemptError(
                error.get(0, Integer.class),
                instant(error.get(1, OffsetDateTime.class)),
                error.get(2, String.class),
                error.get(3, String.class),
                error.get(4, String.class),
                error.get(5, String.class)));
  }

  private static Instant instant(OffsetDateTime time) {
    return time.toInstant();
  }
}
