package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.KIND;
import static dev.dibs.sql.schema.Tables.QUEUE;
import static dev.dibs.sql.schema.Tables.TASK;
import static dev.dibs.sql.schema.Tables.WORKER;
import static dev.dibs.sql.schema.enums.TaskStatus.PENDING;
import static dev.dibs.sql.schema.enums.TaskStatus.PROCESSING;
import static org.jooq.impl.DSL.coalesce;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.selectCount;
import static org.jooq.impl.DSL.when;

import dev.dibs.KindRow;
import dev.dibs.Pause;
import dev.dibs.QueueRow;
import dev.dibs.Retention;
import dev.dibs.TaskStatus;
import dev.dibs.WorkerRow;
import java.sql.Connection;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Record;
import org.jooq.impl.SQLDataType;
import org.jooq.types.YearToSecond;
import org.jspecify.annotations.Nullable;

/**
 * Lists queues, kinds and workers, and how each was steered by hand. Reads only.
 *
 * <p>All of the small tables, and a few pages of task_lane a queue. Thread-safe.
 */
public final class ListQueues {
  /** So many queues with tasks are found that are neither served nor have a row. */
  private static final int MOST_NAMES = 10_000;

  private final Schema schema;
  private final QueueNames names;

  public ListQueues(Schema schema) {
    this.schema = schema;
    this.names = new QueueNames(schema);
  }

  /** The queues that have ready tasks, are served by a live worker, or have a row; by name. */
  public List<QueueRow> queues(Connection connection) {
    DSLContext dsl = schema.dsl(connection);
    Map<String, QueueRow> rows = new TreeMap<>();
    Map<String, Integer> served = live(dsl, WORKER.QUEUES);
    for (String name : names.first(connection, TaskStatus.PENDING, MOST_NAMES))
      rows.put(name, plain(name, served));
    for (String name : served.keySet()) rows.put(name, plain(name, served));
    dsl.select(QUEUE.fields())
        .from(QUEUE)
        .forEach(row -> rows.put(row.get(QUEUE.NAME), steered(row, served)));
    return List.copyOf(rows.values());
  }

  /** One of {@link #queues}, found by its name: a few pages, however many there are. */
  public Optional<QueueRow> queue(Connection connection, String name) {
    DSLContext dsl = schema.dsl(connection);
    Map<String, Integer> served = live(dsl, WORKER.QUEUES);
    Optional<QueueRow> steered =
        dsl.select(QUEUE.fields())
            .from(QUEUE)
            .where(QUEUE.NAME.eq(name))
            .fetchOptional(row -> steered(row, served));
    if (steered.isPresent()) return steered;
    boolean known =
        served.containsKey(name)
            || dsl.fetchExists(TASK, TASK.STATUS.eq(inline(PENDING)), TASK.QUEUE.eq(name));
    return known ? Optional.of(plain(name, served)) : Optional.empty();
  }

  private static QueueRow steered(Record row, Map<String, Integer> served) {
    return new QueueRow(
        row.get(QUEUE.NAME),
        pause(row, QUEUE.PAUSED_AT, QUEUE.PAUSED_BY, QUEUE.PAUSED_WHY),
        new Retention(
            kept(row, QUEUE.RETENTION_SUCCEEDED),
            kept(row, QUEUE.RETENTION_DEAD),
            kept(row, QUEUE.RETENTION_CANCELLED)),
        served.getOrDefault(row.get(QUEUE.NAME), 0));
  }

  private static QueueRow plain(String name, Map<String, Integer> served) {
    return new QueueRow(name, Optional.empty(), Retention.DEFAULT, served.getOrDefault(name, 0));
  }

  private static Duration kept(Record row, Field<YearToSecond> ofOutcome) {
    @Nullable YearToSecond own = row.get(ofOutcome);
    return (own == null ? row.get(QUEUE.RETENTION) : own).toDuration();
  }

  /** The kinds that a live worker knows, or that have a row; by name. */
  public List<KindRow> kinds(Connection connection) {
    DSLContext dsl = schema.dsl(connection);
    Map<String, KindRow> rows = new TreeMap<>();
    Map<String, Integer> known = live(dsl, WORKER.KINDS);
    known.forEach((name, workers) -> rows.put(name, new KindRow(name, Optional.empty(), workers)));
    dsl.select(KIND.fields())
        .from(KIND)
        .forEach(row ->
            rows.put(
                row.get(KIND.NAME),
                new KindRow(
                    row.get(KIND.NAME),
                    pause(row, KIND.PAUSED_AT, KIND.PAUSED_BY, KIND.PAUSED_WHY),
                    known.getOrDefault(row.get(KIND.NAME), 0))));
    return List.copyOf(rows.values());
  }

  /** By each name in the array, how many live workers have it there. */
  private static Map<String, Integer> live(DSLContext dsl, Field<String[]> names) {
    Map<String, Integer> count = new TreeMap<>();
    dsl.select(names)
        .from(WORKER)
        .where(WORKER.STATUS.ne(inline("DEAD")))
        .and(WORKER.LEASE_UNTIL.ge(Time.clock()))
        .forEach(row -> {
          for (String name : List.of(row.value1())) count.merge(name, 1, Integer::sum);
        });
    return count;
  }

  /** The workers that have a row, the oldest first. */
  public List<WorkerRow> workers(Connection connection) {
    Field<Integer> running =
        field(
            selectCount()
                .from(TASK)
                .where(TASK.WORKER_ID.eq(WORKER.ID))
                .and(TASK.STATUS.eq(inline(PROCESSING))));
    Field<String> status =
        when(
                WORKER.LEASE_UNTIL.lt(Time.clock()).and(WORKER.STATUS.ne(inline("DEAD"))),
                inline("SILENT"))
            .otherwise(WORKER.STATUS);
    Field<Double> left =
        coalesce(
            field(
                "extract(epoch from {0} - clock_timestamp())::float8",
                SQLDataType.DOUBLE, WORKER.LEASE_UNTIL),
            inline(0.0));
    return schema
        .dsl(connection)
        .select(WORKER.fields())
        .select(running.as("running"), status.as("how"), left.as("lease_left"))
        .from(WORKER)
        .orderBy(WORKER.STARTED_AT, WORKER.ID)
        .fetch(ListQueues::worker);
  }

  private static WorkerRow worker(Record row) {
    UUID id = row.get(WORKER.ID);
    return new WorkerRow(
        id,
        new WorkerRow.Home(row.get(WORKER.HOST), row.get(WORKER.PID), row.get(WORKER.VERSION)),
        List.of(row.get(WORKER.QUEUES)),
        List.of(row.get(WORKER.KINDS)),
        row.get(WORKER.CONCURRENCY),
        new WorkerRow.State(
            row.get("how", String.class),
            row.get(WORKER.STARTED_AT).toInstant(),
            Duration.ofMillis(Math.round(row.get("lease_left", Double.class) * 1e3)),
            row.get("running", Integer.class)),
        WorkerRows.drain(row));
  }

  private static Optional<Pause> pause(
      Record row, Field<OffsetDateTime> at, Field<String> by, Field<String> why) {
    @Nullable OffsetDateTime since = row.get(at);
    if (since == null) return Optional.empty();
    return Optional.of(
        new Pause(since.toInstant(), ShownRow.text(row.get(by)), ShownRow.text(row.get(why))));
  }
}
