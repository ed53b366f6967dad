package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.TASK;
import static dev.dibs.sql.schema.Tables.TASK_HISTORY;
import static dev.dibs.sql.schema.Tables.WORKER;
import static org.jooq.impl.DSL.count;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.lateral;
import static org.jooq.impl.DSL.max;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.when;

import dev.dibs.TaskStatus;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jooq.Field;
import org.jooq.Record2;
import org.jooq.impl.SQLDataType;

/**
 * Counts tasks and lists workers, for people and gauges. Reads only.
 *
 * <p>Counting walks all of task and, for the rates, the history of the last minute by
 * task_history_queue. Thread-safe.
 */
public final class CountTasks {
  /**
   * The unfinished tasks of one status in one queue.
   *
   * @param oldest how long the one that waits longest has been due, for PENDING
   */
  public record Depth(String queue, TaskStatus status, long tasks, Optional<Duration> oldest) {}

  /** Tasks of a queue that ended with a status within the last minute. */
  public record Rate(String queue, TaskStatus status, long tasks) {}

  /** A worker process. */
  public record Member(
      UUID id,
      String host,
      long pid,
      String version,
      List<String> queues,
      int concurrency,
      State state) {}

  /**
   * How a worker does.
   *
   * @param status LIVE, DRAINING, DEAD, or SILENT when its lease has run out
   */
  public record State(String status, Duration up, long running) {}

  private static final long ONE_MINUTE = 60_000_000;

  private final Schema schema;

  public CountTasks(Schema schema) {
    this.schema = schema;
  }

  /** The unfinished tasks by queue and status. */
  public List<Depth> depths(Connection connection) {
    Field<Double> oldest = seconds(max(Time.now().sub(TASK.RUN_AT).cast(SQLDataType.INTERVAL)));
    return schema
        .dsl(connection)
        .select(TASK.QUEUE, TASK.STATUS, count(), oldest)
        .from(TASK)
        .groupBy(TASK.QUEUE, TASK.STATUS)
        .orderBy(TASK.QUEUE, TASK.STATUS)
        .fetch(row ->
            new Depth(
                row.value1(),
                TaskStatus.valueOf(row.value2().getLiteral()),
                row.value3(),
                row.value2().getLiteral().equals("PENDING")
                    ? Optional.of(duration(row.value4()))
                    : Optional.empty()));
  }

  /**
   * The tasks that ended within the last minute, by queue and status; of the queues that a worker
   * serves or a task waits in, so that an index finds them.
   */
  public List<Rate> lastMinute(Connection connection) {
    Field<String> queue = field(name("q", "queue"), SQLDataType.CLOB);
    var queues =
        select(TASK.QUEUE.as("queue"))
            .from(TASK)
            .union(select(field("unnest({0})", SQLDataType.CLOB, WORKER.QUEUES)).from(WORKER))
            .asTable("q");
    var ended =
        lateral(
                select(TASK_HISTORY.STATUS, count().as("tasks"))
                    .from(TASK_HISTORY)
                    .where(TASK_HISTORY.QUEUE.eq(queue))
                    .and(
                        TASK_HISTORY.FINISHED_AT.gt(
                            Time.now().sub(Time.micros(inline(ONE_MINUTE)))))
                    .groupBy(TASK_HISTORY.STATUS))
            .as("h");
    var status = field(name("h", "status"), TASK_HISTORY.STATUS.getDataType());
    var tasks = field(name("h", "tasks"), SQLDataType.BIGINT);
    return schema
        .dsl(connection)
        .select(queue, status, tasks)
        .from(queues)
        .crossJoin(ended)
        .orderBy(queue, status)
        .fetch(row ->
            new Rate(row.value1(), TaskStatus.valueOf(row.value2().getLiteral()), row.value3()));
  }

  /** How many live processes take tasks from each queue; queues without any are missing. */
  public Map<String, Long> workersByQueue(Connection connection) {
    Field<String> queue = field("unnest({0})", SQLDataType.CLOB, WORKER.QUEUES).as("queue");
    return schema
        .dsl(connection)
        .select(queue, count().cast(SQLDataType.BIGINT))
        .from(WORKER)
        .where(WORKER.STATUS.eq(inline("LIVE")))
        .and(WORKER.LEASE_UNTIL.ge(Time.clock()))
        .groupBy(field(name("queue")))
        .fetchMap(Record2::value1, Record2::value2);
  }

  /** The workers that have a row, the oldest first. */
  public List<Member> workers(Connection connection) {
    var running =
        field(
            org.jooq
                .impl
                .DSL
                .selectCount()
                .from(TASK)
                .where(TASK.WORKER_ID.eq(WORKER.ID))
                .and(TASK.STATUS.eq(inline(dev.dibs.sql.schema.enums.TaskStatus.PROCESSING))));
    var status =
        when(
                WORKER.LEASE_UNTIL.lt(Time.clock()).and(WORKER.STATUS.ne(inline("DEAD"))),
                inline("SILENT"))
            .otherwise(WORKER.STATUS);
    var up = seconds(Time.now().sub(WORKER.STARTED_AT).cast(SQLDataType.INTERVAL));
    return schema
        .dsl(connection)
        .select(
            WORKER.ID,
            WORKER.HOST,
            WORKER.PID,
            WORKER.VERSION,
            WORKER.QUEUES,
            WORKER.CONCURRENCY,
            status,
            up,
            running)
        .from(WORKER)
        .orderBy(WORKER.STARTED_AT)
        .fetch(row ->
            new Member(
                row.value1(),
                row.value2(),
                row.value3(),
                row.value4(),
                List.of(row.value5()),
                row.value6(),
                new State(row.value7(), duration(row.value8()), row.value9())));
  }

  private static Field<Double> seconds(Field<?> interval) {
    return field("extract(epoch from {0})::float8", SQLDataType.DOUBLE, interval);
  }

  private static Duration duration(double seconds) {
    return Duration.ofMillis(Math.max(0, Math.round(seconds * 1e3)));
  }
}
