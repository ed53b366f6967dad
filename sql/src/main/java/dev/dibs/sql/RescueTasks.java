package dev.dibs.sql;

import static dev.dibs.sql.schema.Sequences.TASK_POSITION;
import static dev.dibs.sql.schema.Tables.TASK;
import static dev.dibs.sql.schema.Tables.WORKER;
import static dev.dibs.sql.schema.enums.TaskStatus.DEAD;
import static dev.dibs.sql.schema.enums.TaskStatus.PENDING;
import static dev.dibs.sql.schema.enums.TaskStatus.PROCESSING;
import static org.jooq.impl.DSL.any;
import static org.jooq.impl.DSL.array;
import static org.jooq.impl.DSL.castNull;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.noCondition;
import static org.jooq.impl.DSL.notExists;
import static org.jooq.impl.DSL.param;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.selectCount;
import static org.jooq.impl.DSL.selectOne;
import static org.jooq.impl.DSL.update;
import static org.jooq.impl.DSL.with;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jooq.Condition;
import org.jooq.Field;
import org.jooq.Table;
import org.jooq.impl.SQLDataType;

/**
 * Takes tasks from a worker that died: back to PENDING with one loss more, or DEAD when that was
 * one loss too many.
 *
 * <p>A loss is kept apart from failures and written with the worker's name, so a task that kills
 * its workers ends with the evidence. Index: task_held. Locks: the rescued rows; rows that another
 * rescuer or a finishing run has locked are skipped. One statement per batch. Thread-safe.
 */
public final class RescueTasks {
  /**
   * What was rescued.
   *
   * @param returned tasks that are ready again
   * @param buried tasks that are dead now
   * @param queues where tasks were returned to
   */
  public record Rescued(int returned, int buried, Set<String> queues) {}

  private final SqlText ofWorker;
  private final SqlText ofNobody;

  public RescueTasks(Schema schema) {
    this.ofWorker = text(schema, TASK, TASK.WORKER_ID.eq(param("worker", UUID.class)));
    // Joined with itself: when a row changed hands since the snapshot, its condition is looked at
    // again with the new version of the row but the old version of the other tables, and then a
    // worker that registered meanwhile would not be seen. The lease that was seen is the old one.
    var seen = TASK.as("seen");
    this.ofNobody =
        text(
            schema,
            TASK.join(seen).on(seen.ID.eq(TASK.ID).and(seen.LEASE.eq(TASK.LEASE))),
            notExists(selectOne().from(WORKER).where(WORKER.ID.eq(TASK.WORKER_ID))));
  }

  private static SqlText text(Schema schema, Table<?> tasks, Condition stranded) {
    var picked =
        name("stranded")
            .asMaterialized(
                select(TASK.ID, TASK.LEASE)
                    .from(tasks)
                    .where(TASK.STATUS.eq(inline(PROCESSING)))
                    .and(stranded)
                    .orderBy(TASK.WORKER_ID, TASK.ID)
                    .limit(param("max", Integer.class))
                    .forNoKeyUpdate()
                    .of(TASK)
                    .skipLocked());
    // By its lease too: the same id in another queue is another task.
    Condition isStranded = isAmongStranded(TASK.ID).and(isAmongStranded(TASK.LEASE));
    var oneMore = TASK.LOSSES.add(inline(1));
    var evidence =
        EndedTasks.errorsAnd(
            field(
                "jsonb_build_object('class', 'worker lost', 'worker', {0}, 'host', {1})",
                SQLDataType.JSONB,
                TASK.WORKER_ID,
                param("host", SQLDataType.CLOB).cast(SQLDataType.CLOB)));
    Field<Integer> maxLosses = param("maxLosses", Integer.class);
    var buried =
        EndedTasks.takeAway(
            "buried", isStranded.and(oneMore.ge(maxLosses)), inline(DEAD), evidence, oneMore);
    var returned =
        name("returned")
            .as(
                update(TASK)
                    .set(TASK.STATUS, inline(PENDING))
                    .set(TASK.POSITION, TASK_POSITION.nextval())
                    .set(TASK.RUN_AT, Time.now())
                    .set(TASK.LOSSES, oneMore)
                    .set(TASK.ERRORS, evidence)
                    .set(TASK.LEASE, castNull(TASK.LEASE))
                    .set(TASK.WORKER_ID, castNull(TASK.WORKER_ID))
                    .where(isStranded.and(oneMore.lt(maxLosses)))
                    .returningResult(TASK.QUEUE));
    var queues =
        array(
            select(field(name("queue"), SQLDataType.CLOB))
                .distinctOn(field(name("queue")))
                .from(name("returned")));
    return SqlText.of(
        schema,
        with(picked)
            .with(buried)
            .with(EndedTasks.archive("archived", "buried"))
            .with(returned)
            .select(
                field(selectCount().from(name("returned"))),
                field(selectCount().from(name("buried"))),
                queues)
            .where(noCondition()));
  }

  private static Condition isAmongStranded(Field<UUID> column) {
    Field<UUID> stranded = field(name(column.getName()), UUID.class);
    return column.eq(any(array(select(stranded).from(name("stranded")))));
  }

  /**
   * Rescues at most {@code max} tasks of the worker {@code worker}, which must be known to be dead.
   */
  public Rescued rescue(Connection connection, UUID worker, String host, int maxLosses, int max)
      throws SQLException {
    return run(
        ofWorker,
        connection,
        Map.of("worker", worker, "host", host, "maxLosses", maxLosses, "max", max));
  }

  /** Rescues at most {@code max} tasks that are held in the name of a worker that has no row. */
  public Rescued rescueOrphans(Connection connection, int maxLosses, int max) throws SQLException {
    return run(ofNobody, connection, Map.of("host", "unknown", "maxLosses", maxLosses, "max", max));
  }

  private static Rescued run(SqlText text, Connection connection, Map<String, Object> values)
      throws SQLException {
    try (var statement = text.prepare(connection, values);
        var rows = statement.executeQuery()) {
      rows.next();
      return new Rescued(
          rows.getInt(1), rows.getInt(2), Set.of((String[]) rows.getArray(3).getArray()));
    }
  }

  /** The statement, for those who review it. */
  SqlText text() {
    return ofWorker;
  }
}
