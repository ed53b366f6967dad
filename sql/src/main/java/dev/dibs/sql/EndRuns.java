package dev.dibs.sql;

import static dev.dibs.sql.schema.Sequences.TASK_POSITION;
import static dev.dibs.sql.schema.Tables.TASK;
import static dev.dibs.sql.schema.enums.TaskStatus.PENDING;
import static dev.dibs.sql.schema.enums.TaskStatus.SCHEDULED;
import static org.jooq.impl.DSL.any;
import static org.jooq.impl.DSL.cardinality;
import static org.jooq.impl.DSL.castNull;
import static org.jooq.impl.DSL.count;
import static org.jooq.impl.DSL.deleteFrom;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.param;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.table;
import static org.jooq.impl.DSL.update;
import static org.jooq.impl.DSL.when;
import static org.jooq.impl.DSL.with;

import java.util.UUID;
import org.jooq.CommonTableExpression;
import org.jooq.Condition;
import org.jooq.DataType;
import org.jooq.Field;
import org.jooq.Query;
import org.jooq.Record1;
import org.jooq.Select;
import org.jooq.impl.SQLDataType;

/**
 * The statement that writes the outcomes of finished runs and answers those it refused.
 *
 * <p>The parts, by their names in it: {@code deleted} takes out tasks that will not run again and
 * {@code archived} keeps them; {@code again} gives tasks back, ready or scheduled. Every part
 * matches id and lease and nothing besides: a status in the condition would let the planner walk
 * the dead entries of the held index.
 *
 * <p>The ids of those that end must be sorted as the database sorts them, none twice. How each ends
 * stands in {@code endings}: 0 for a plain success, or the place of its status and error in {@code
 * oddStatuses} and {@code oddErrors}, counted from 1.
 *
 * <p>Index: primary key. Locks: the rows of the batch, in the order of their ids.
 */
final class EndRuns {
  private EndRuns() {}

  static Query query() {
    CommonTableExpression<?> deleted =
        name("deleted")
            .as(
                deleteFrom(TASK)
                    .where(among("endedIds"))
                    .and(TASK.LEASE.eq(sentWithId("endedLeases", SQLDataType.UUID)))
                    .returningResult(
                        EndedTasks.deletedColumns(sentWithId("endings", SQLDataType.SMALLINT))));
    CommonTableExpression<?> ended = EndedTasks.endings("ended", "deleted");

    var returning = new Columns("r");
    var againId = returning.column("id", "againIds", SQLDataType.UUID);
    var againLease = returning.column("lease", "againLeases", SQLDataType.UUID);
    var againDelay = returning.column("delay", "againDelays", SQLDataType.BIGINT);
    var againFailed = returning.column("failed", "againFailed", SQLDataType.INTEGER);
    var againError = returning.column("error", "againErrors", SQLDataType.CLOB);
    CommonTableExpression<?> again =
        name("again")
            .as(
                update(TASK)
                    .set(
                        TASK.STATUS,
                        when(againDelay.le(inline(0L)), inline(PENDING))
                            .otherwise(inline(SCHEDULED)))
                    .set(TASK.RUN_AT, Time.now().add(Time.micros(againDelay)))
                    .set(
                        TASK.POSITION,
                        when(againDelay.le(inline(0L)), TASK_POSITION.nextval())
                            .otherwise(TASK.POSITION))
                    .set(TASK.FAILURES, TASK.FAILURES.add(againFailed))
                    .set(TASK.ERRORS, EndedTasks.errorsAnd(againError.cast(SQLDataType.JSONB)))
                    .set(TASK.LEASE, castNull(TASK.LEASE))
                    .set(TASK.WORKER_ID, castNull(TASK.WORKER_ID))
                    .from(returning.rows())
                    .where(
                        TASK.ID.eq(againId).and(TASK.LEASE.eq(againLease)).and(among("againIds")))
                    .returningResult(TASK.ID));

    return with(deleted)
        .with(ended)
        .with(EndedTasks.archive("archived", "ended"))
        .with(again)
        .select(field(name("x", "id"), SQLDataType.UUID))
        .from(refused().asTable("x"));
  }

  /**
   * What the array {@code sent} holds at the place where the ids hold the task's. The ids are
   * sorted, so the place is found by halves, and elements of a fixed length are read without
   * passing the others: no join, which might read all of task, and no hash.
   */
  private static <T> Field<T> sentWithId(String sent, DataType<T> type) {
    return field(
        "({0})[width_bucket({1}, {2})]",
        type,
        param(sent, type.getArrayDataType()),
        TASK.ID,
        param("endedIds", SQLDataType.UUID.getArrayDataType()));
  }

  /**
   * Says of the joined ids once more what they are: whichever side of the join comes first, the
   * primary key then reads these rows and no more. On a bloated table that looks empty PostgreSQL
   * 15 read all of it otherwise.
   */
  private static Condition among(String ids) {
    return TASK.ID.eq(any(param(ids, SQLDataType.UUID.getArrayDataType())));
  }

  /**
   * The outcomes that found no task under their lease: sent, and neither ended nor given back. Most
   * often there is none, which the counts tell without comparing ids.
   */
  private static Select<Record1<UUID>> refused() {
    Field<UUID> id = field(name("id"), SQLDataType.UUID);
    var endedIds = param("endedIds", SQLDataType.UUID.getArrayDataType());
    var againIds = param("againIds", SQLDataType.UUID.getArrayDataType());
    var sent = select(id).from(table("unnest({0} || {1})", endedIds, againIds).as("o", "id"));
    var written = select(id).from(name("deleted")).unionAll(select(id).from(name("again")));
    Field<Integer> deletedRows = field(select(count()).from(name("deleted")));
    Field<Integer> againRows = field(select(count()).from(name("again")));
    return select(field(name("s", "id"), SQLDataType.UUID))
        .from(sent.except(written).asTable("s"))
        .where(cardinality(endedIds).add(cardinality(againIds)).gt(deletedRows.add(againRows)));
  }
}
