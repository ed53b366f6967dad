package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.TASK;
import static dev.dibs.sql.schema.Tables.WORKER;
import static dev.dibs.sql.schema.enums.TaskStatus.PROCESSING;
import static org.jooq.impl.DSL.exists;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.selectOne;
import static org.jooq.impl.DSL.update;
import static org.jooq.impl.DSL.val;

import dev.dibs.Pause;
import java.sql.Connection;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jooq.Field;
import org.jooq.Record;
import org.jooq.impl.SQLDataType;
import org.jooq.types.YearToSecond;
import org.jspecify.annotations.Nullable;

/**
 * The worker table: one row a process and start, which beats for all the tasks it holds.
 *
 * <p>Index: primary key, or all of the small table. Locks: the one row. All times are the
 * database's. A DEAD row stays until its tasks are rescued. Thread-safe.
 */
public final class WorkerRows {
  /** A worker as it announces itself. */
  public record Announcement(
      String host,
      long pid,
      String version,
      Set<String> queues,
      Set<String> kinds,
      int concurrency) {}

  /**
   * A worker's sign of life.
   *
   * @param expired whether its lease has run out by the database's clock
   * @param dead whether it was declared dead already
   */
  public record Sign(UUID worker, String host, long beat, boolean expired, boolean dead) {}

  /**
   * What came of a beat.
   *
   * @param accepted whether the worker is alive in the eyes of the others
   * @param drain who asked it to take no more tasks, if anybody did
   * @param signs of all workers
   */
  public record Beat(boolean accepted, Optional<Pause> drain, List<Sign> signs) {
    public Beat {
      signs = List.copyOf(signs);
    }
  }

  private final Schema schema;

  public WorkerRows(Schema schema) {
    this.schema = schema;
  }

  /** Adds a row for a worker that starts now; its lease begins. */
  public void register(
      Connection connection, UUID worker, Announcement announcement, Duration lease) {
    schema
        .dsl(connection)
        .insertInto(WORKER)
        .set(WORKER.ID, worker)
        .set(WORKER.HOST, announcement.host())
        .set(WORKER.PID, announcement.pid())
        .set(WORKER.VERSION, announcement.version())
        .set(WORKER.QUEUES, announcement.queues().toArray(String[]::new))
        .set(WORKER.KINDS, announcement.kinds().toArray(String[]::new))
        .set(WORKER.CONCURRENCY, announcement.concurrency())
        .set(WORKER.LEASE_UNTIL, Time.clock().add(interval(lease)))
        .execute();
  }

  /** Hands on to a worker that registered anew what its process was asked for under its old id. */
  public void inherit(Connection connection, UUID worker, Pause drain) {
    schema
        .dsl(connection)
        .update(WORKER)
        .set(WORKER.DRAINED_AT, drain.at().atOffset(ZoneOffset.UTC))
        .set(WORKER.DRAINED_BY, drain.by())
        .set(WORKER.DRAINED_WHY, drain.why())
        .where(WORKER.ID.eq(worker))
        .execute();
  }

  /**
   * Renews the lease if the worker was not declared dead, and tells how all workers, this one among
   * them, stood just before.
   */
  public Beat beatIfLive(Connection connection, UUID worker, Duration lease) {
    var beaten =
        name("beaten")
            .as(
                update(WORKER)
                    .set(WORKER.BEAT, WORKER.BEAT.add(inline(1L)))
                    .set(WORKER.LEASE_UNTIL, Time.clock().add(interval(lease)))
                    .where(WORKER.ID.eq(worker))
                    .and(WORKER.STATUS.ne(inline("DEAD")))
                    .returningResult(WORKER.ID));
    var accepted = field(exists(selectOne().from(name("beaten"))));
    var expired = field(WORKER.LEASE_UNTIL.lt(Time.clock()));
    var dead = field(WORKER.STATUS.eq(inline("DEAD")));
    var rows =
        schema
            .dsl(connection)
            .with(beaten)
            .select(WORKER.ID, WORKER.HOST, WORKER.BEAT, WORKER.DRAINED_AT, WORKER.DRAINED_BY)
            .select(WORKER.DRAINED_WHY, expired.as("expired"), dead.as("dead"))
            .select(accepted.as("accepted"))
            .from(WORKER)
            .fetch();
    List<Sign> signs =
        rows.map(row ->
            new Sign(
                row.get(WORKER.ID),
                row.get(WORKER.HOST),
                row.get(WORKER.BEAT),
                row.get("expired", Boolean.class),
                row.get("dead", Boolean.class)));
    return new Beat(
        rows.stream().anyMatch(row -> row.get("accepted", Boolean.class)),
        rows.stream()
            .filter(row -> worker.equals(row.get(WORKER.ID)))
            .findFirst()
            .flatMap(WorkerRows::drain),
        signs);
  }

  /** Who asked a worker to take no more tasks. */
  static Optional<Pause> drain(Record row) {
    @Nullable OffsetDateTime at = row.get(WORKER.DRAINED_AT);
    if (at == null) return Optional.empty();
    return Optional.of(
        new Pause(
            at.toInstant(),
            ShownRow.text(row.get(WORKER.DRAINED_BY)),
            ShownRow.text(row.get(WORKER.DRAINED_WHY))));
  }

  /** Says that the worker takes no more tasks; it keeps beating for those it has. */
  public void drain(Connection connection, UUID worker) {
    schema
        .dsl(connection)
        .update(WORKER)
        .set(WORKER.STATUS, inline("DRAINING"))
        .where(WORKER.ID.eq(worker))
        .and(WORKER.STATUS.eq(inline("LIVE")))
        .execute();
  }

  /** Says that the worker takes tasks again. */
  public void undrain(Connection connection, UUID worker) {
    schema
        .dsl(connection)
        .update(WORKER)
        .set(WORKER.STATUS, inline("LIVE"))
        .where(WORKER.ID.eq(worker))
        .and(WORKER.STATUS.eq(inline("DRAINING")))
        .execute();
  }

  /** Removes the row of a worker that holds no task, and answers whether it did. */
  public boolean removeIfIdle(Connection connection, UUID worker) {
    var held =
        selectOne()
            .from(TASK)
            .where(TASK.WORKER_ID.eq(worker))
            .and(TASK.STATUS.eq(inline(PROCESSING)));
    return schema
            .dsl(connection)
            .deleteFrom(WORKER)
            .where(WORKER.ID.eq(worker))
            .and(org.jooq.impl.DSL.not(exists(held)))
            .execute()
        == 1;
  }

  /**
   * Declares a worker dead if it has not beaten since {@code sign} and its lease has run out;
   * answers whether.
   */
  public boolean buryIfSilent(Connection connection, Sign sign) {
    return schema
            .dsl(connection)
            .update(WORKER)
            .set(WORKER.STATUS, inline("DEAD"))
            .where(WORKER.ID.eq(sign.worker()))
            .and(WORKER.BEAT.eq(sign.beat()))
            .and(WORKER.STATUS.ne(inline("DEAD")))
            .and(WORKER.LEASE_UNTIL.lt(Time.clock()))
            .execute()
        == 1;
  }

  private static Field<YearToSecond> interval(Duration duration) {
    return Time.micros(val(Time.micros(duration), SQLDataType.BIGINT));
  }
}
