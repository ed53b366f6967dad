package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.QUEUE;
import static dev.dibs.sql.schema.Tables.TASK;
import static dev.dibs.sql.schema.Tables.TASK_HISTORY;
import static org.jooq.impl.DSL.array;
import static org.jooq.impl.DSL.castNull;
import static org.jooq.impl.DSL.coalesce;
import static org.jooq.impl.DSL.deleteFrom;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.insertInto;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.param;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.table;
import static org.jooq.impl.DSL.when;

import dev.dibs.sql.schema.enums.TaskStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jooq.CommonTableExpression;
import org.jooq.Condition;
import org.jooq.Field;
import org.jooq.JSONB;
import org.jooq.Query;
import org.jooq.Record;
import org.jooq.SelectField;
import org.jooq.Table;
import org.jooq.impl.SQLDataType;
import org.jooq.types.YearToSecond;

/**
 * The two halves of ending tasks, as parts of a statement: delete them from task, keep them in
 * task_history.
 *
 * <p>The halves are named; what follows in the statement reads the first to learn which tasks it
 * did end. A queue keeps nothing of an outcome whose retention is zero.
 */
final class EndedTasks {
  /** At the most so many errors are kept with a task, the newest. */
  private static final int ERRORS_KEPT = 10;

  private static final String ENDING = "ending";

  private static final Field<TaskStatus> FINAL_STATUS =
      field(name("final_status"), TASK.STATUS.getDataType());
  private static final Field<JSONB> ALL_ERRORS = field(name("all_errors"), SQLDataType.JSONB);
  private static final Field<Integer> ALL_LOSSES = field(name("all_losses"), SQLDataType.INTEGER);

  private static final Field<UUID> NO_LEASE = castNull(SQLDataType.UUID).as(TASK.LEASE.getName());

  /** What a task was before it was taken away, and who held it. */
  static final Field<TaskStatus> STATUS_BEFORE =
      field(name("status_before"), TASK.STATUS.getDataType());

  static final Field<UUID> LEASE_BEFORE = field(name("lease_before"), SQLDataType.UUID);

  private EndedTasks() {}

  /**
   * Deletes what {@code which} chooses and answers the rows, with the status, errors and losses
   * they end with.
   */
  static CommonTableExpression<?> delete(
      String as,
      Table<?> using,
      Condition which,
      Field<TaskStatus> status,
      Field<JSONB> errors,
      Field<Integer> losses) {
    List<SelectField<?>> answer = new ArrayList<>(kept());
    answer.add(status.as(FINAL_STATUS));
    answer.add(errors.as(ALL_ERRORS));
    answer.add(losses.as(ALL_LOSSES));
    return name(as).as(deleteFrom(TASK).using(using).where(which).returningResult(answer));
  }

  /**
   * The same for tasks that somebody else ended than their run: they keep no lease, for history
   * says by the lease whose outcome it was.
   */
  static CommonTableExpression<?> takeAway(
      String as,
      Condition which,
      Field<TaskStatus> status,
      Field<JSONB> errors,
      Field<Integer> losses) {
    List<SelectField<?>> answer = new ArrayList<>();
    for (Field<?> column : kept()) answer.add(column.equals(TASK.LEASE) ? NO_LEASE : column);
    answer.add(status.as(FINAL_STATUS));
    answer.add(errors.as(ALL_ERRORS));
    answer.add(losses.as(ALL_LOSSES));
    answer.add(TASK.STATUS.as(STATUS_BEFORE));
    answer.add(TASK.LEASE.as(LEASE_BEFORE));
    return name(as).as(deleteFrom(TASK).where(which).returningResult(answer));
  }

  /** The same as a part of its own: what {@code deleted} deleted, ended as it was sent. */
  static CommonTableExpression<?> endings(String as, String deleted) {
    Field<Short> ending = field(name(deleted, ENDING), SQLDataType.SMALLINT);
    Field<JSONB> error = odd("oddErrors", ending).cast(SQLDataType.JSONB);
    List<SelectField<?>> columns = new ArrayList<>();
    for (Field<?> column : kept()) columns.add(of(deleted, column));
    columns.add(
        when(ending.eq(inline((short) 0)), inline(TaskStatus.SUCCEEDED))
            .otherwise(odd("oddStatuses", ending).cast(TASK.STATUS.getDataType()))
            .as(FINAL_STATUS));
    columns.add(
        errorsAnd(error, of(deleted, TASK.ERRORS), of(deleted, TASK.ATTEMPT)).as(ALL_ERRORS));
    columns.add(of(deleted, TASK.LOSSES).as(ALL_LOSSES));
    return name(as).as(select(columns).from(name(deleted)));
  }

  /**
   * What the array {@code sent} says of an ending that is no plain success; null of one that is.
   */
  private static Field<String> odd(String sent, Field<Short> ending) {
    return field(
        "({0})[{1}]", SQLDataType.CLOB, param(sent, SQLDataType.CLOB.getArrayDataType()), ending);
  }

  private static <T> Field<T> of(String part, Field<T> column) {
    return field(name(part, column.getName()), column.getDataType());
  }

  /** What a delete answers so that {@link #endings} can be made of it. */
  static List<SelectField<?>> deletedColumns(Field<Short> ending) {
    List<SelectField<?>> columns = new ArrayList<>(kept());
    columns.addAll(List.of(TASK.ERRORS, TASK.LOSSES, ending.as(ENDING)));
    return columns;
  }

  /** Keeps in history what the part called {@code ended} deleted. */
  static CommonTableExpression<?> archive(String as, String ended) {
    Table<Record> rows = table(name(ended));
    List<Field<?>> into = new ArrayList<>();
    List<Field<?>> from = new ArrayList<>();
    for (Field<?> column : kept()) {
      into.add(TASK_HISTORY.field(column.getName()));
      from.add(field(name(ended, column.getName()), column.getDataType()));
    }
    into.addAll(List.of(TASK_HISTORY.STATUS, TASK_HISTORY.ERRORS, TASK_HISTORY.LOSSES));
    for (Field<?> ending : List.of(FINAL_STATUS, ALL_ERRORS, ALL_LOSSES)) {
      from.add(field(name(ended, ending.getName()), ending.getDataType()));
    }
    Field<String> queue = field(name(ended, TASK.QUEUE.getName()), SQLDataType.CLOB);
    Field<String[]> forgetful =
        field(
            "case {0} when 'SUCCEEDED' then {1} when 'DEAD' then {2} else {3} end",
            SQLDataType.CLOB.getArrayDataType(),
            field(name(ended, FINAL_STATUS.getName()), FINAL_STATUS.getDataType()),
            keepingNothing(QUEUE.RETENTION_SUCCEEDED),
            keepingNothing(QUEUE.RETENTION_DEAD),
            keepingNothing(QUEUE.RETENTION_CANCELLED));
    return name(as)
        .as(
            insertInto(TASK_HISTORY)
                .columns(into)
                .select(select(from).from(rows).where(queue.ne(org.jooq.impl.DSL.all(forgetful))))
                .returningResult(TASK_HISTORY.ID));
  }

  /**
   * The queues that keep nothing of what ended so; each is asked for once a statement, if at all.
   */
  private static Field<String[]> keepingNothing(Field<YearToSecond> ofOutcome) {
    return array(
        select(QUEUE.NAME)
            .from(QUEUE)
            .where(
                coalesce(ofOutcome, QUEUE.RETENTION)
                    .eq(field("interval '0'", SQLDataType.INTERVAL))));
  }

  /**
   * The errors of a task with one more, the oldest dropped; {@code error} is null where there is
   * none to add.
   */
  static Field<JSONB> errorsAnd(Field<JSONB> error) {
    return errorsAnd(error, TASK.ERRORS, TASK.ATTEMPT);
  }

  private static Field<JSONB> errorsAnd(
      Field<JSONB> error, Field<JSONB> errors, Field<Integer> attempt) {
    Field<JSONB> before =
        field(
            "case when jsonb_array_length({0}) >= {1} then {0} - 0 else coalesce({0}, '[]') end",
            SQLDataType.JSONB, errors, inline(ERRORS_KEPT));
    return when(error.isNull(), errors)
        .otherwise(
            field(
                "{0} || ({1} || jsonb_build_object('at', statement_timestamp(), 'attempt', {2}))",
                SQLDataType.JSONB, before, error, attempt));
  }

  /** How the task of the parameter {@code id} ended last, as far as history is kept. */
  static Query lastStatus() {
    return select(TASK_HISTORY.STATUS)
        .from(TASK_HISTORY)
        .where(TASK_HISTORY.ID.eq(param("id", UUID.class)))
        .orderBy(TASK_HISTORY.FINISHED_AT.desc())
        .limit(inline(1));
  }

  /** The columns that go to history as they stand. */
  private static List<Field<?>> kept() {
    return List.of(
        TASK.ID,
        TASK.CREATED_AT,
        TASK.RUN_AT,
        TASK.CLAIMED_AT,
        TASK.LEASE,
        TASK.WORKER_ID,
        TASK.PRIORITY,
        TASK.ATTEMPT,
        TASK.FAILURES,
        TASK.MAX_ATTEMPTS,
        TASK.QUEUE,
        TASK.KIND,
        TASK.PAYLOAD,
        TASK.HEADERS,
        TASK.UNIQUE_KEY,
        TASK.TIMEOUT,
        TASK.UNIQUE_HOLD);
  }
}
