package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.SCHEDULE;
import static dev.dibs.sql.schema.Tables.SCHEDULE_TICK;
import static dev.dibs.sql.schema.Tables.TASK;
import static dev.dibs.sql.schema.enums.TaskStatus.PENDING;
import static dev.dibs.sql.schema.enums.TaskStatus.SCHEDULED;
import static org.jooq.impl.DSL.coalesce;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.greatest;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.insertInto;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.notExists;
import static org.jooq.impl.DSL.param;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.selectCount;
import static org.jooq.impl.DSL.selectOne;
import static org.jooq.impl.DSL.table;
import static org.jooq.impl.DSL.when;
import static org.jooq.impl.DSL.with;

import dev.dibs.Overlap;
import dev.dibs.Rhythm;
import dev.dibs.Schedule;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jooq.CommonTableExpression;
import org.jooq.Field;
import org.jooq.TableField;
import org.jooq.impl.SQLDataType;
import org.jspecify.annotations.Nullable;

/**
 * Enqueues the tasks of schedules that tick, each tick once.
 *
 * <p>What is due is looked for without a lock; then the schedule is locked, moved on and its tasks
 * are inserted by one statement, if it still stands as it was seen. Who comes second finds it
 * locked or moved on. The key of schedule_tick holds where even that would not. Index: schedule_due
 * to look, primary keys to tick. Locks: the schedule's row, skipped if another has it. One
 * statement to look and one a schedule that is due. Thread-safe.
 */
public final class TickSchedules {
  /**
   * A schedule that is up next, as it was seen.
   *
   * @param at the tick that is to come, or has come
   * @param now the database's time when it was seen
   */
  public record Next(Seen seen, Instant at, Instant now, Rules rules) {
    public boolean isDue() {
      return !at.isAfter(now);
    }
  }

  /** Which schedule, and since when it stands so. */
  public record Seen(String name, OffsetDateTime changedAt) {}

  /** How its ticks follow each other: columns of schedule, not yet understood. */
  public record Rules(Beat beat, String misfire, String overlapping, Duration jitter) {
    /**
     * When it ticks.
     *
     * @throws IllegalArgumentException or DateTimeException if this build does not understand it
     */
    public Rhythm rhythm() {
      return ScheduleRows.rhythm(beat.cron(), beat.every(), beat.zone());
    }

    public Overlap overlap() {
      return Overlap.parse(overlapping);
    }
  }

  /** One of the two, and the zone of the first. */
  record Beat(@Nullable String cron, @Nullable Duration every, String zone) {}

  /** A tick that is to bring a task, and when that is to run. */
  public record Tick(Instant at, UUID task, Instant runAt) {}

  /**
   * What was decided.
   *
   * @param runs the ticks that bring a task
   * @param last the last tick that is decided hereby
   * @param next the tick after it
   */
  public record Decision(List<Tick> runs, Instant last, Instant next) {
    public Decision {
      runs = List.copyOf(runs);
    }
  }

  /**
   * What came of it.
   *
   * @param moved whether the schedule was there, as it was seen, and nobody else's
   * @param tasks how many were enqueued
   * @param queue where, if it was moved
   * @param kind of what kind, if it was moved
   */
  public record Ticked(boolean moved, int tasks, String queue, String kind) {
    private static final Ticked NOT = new Ticked(false, 0, "", "");
  }

  private final SqlText look;
  private final SqlText tick;

  public TickSchedules(Schema schema) {
    this.look =
        SqlText.of(
            schema,
            select(
                    SCHEDULE.NAME,
                    SCHEDULE.CHANGED_AT,
                    SCHEDULE.NEXT_TICK_AT,
                    Time.now(),
                    SCHEDULE.CRON,
                    micros(SCHEDULE.EVERY),
                    SCHEDULE.ZONE,
                    misfire(),
                    SCHEDULE.OVERLAP,
                    micros(SCHEDULE.JITTER))
                .from(SCHEDULE)
                .where(SCHEDULE.PAUSED_AT.isNull())
                .orderBy(SCHEDULE.NEXT_TICK_AT)
                .limit(param("max", Integer.class)));
    this.tick = tick(schema);
  }

  /** The misfire policy as {@link dev.dibs.Misfire#parse} reads it. */
  static Field<String> misfire() {
    return field("concat_ws(':', {0}, {1})", SQLDataType.CLOB, SCHEDULE.MISFIRE, SCHEDULE.CATCH_UP);
  }

  static Field<Long> micros(Field<?> interval) {
    return field("(extract(epoch from {0}) * 1000000)::int8", SQLDataType.BIGINT, interval);
  }

  private static <T> Field<T> due(TableField<?, T> column) {
    return field(name("due", column.getName()), column.getDataType());
  }

  private static SqlText tick(Schema schema) {
    var due =
        name("due")
            .asMaterialized(
                select(SCHEDULE.fields())
                    .from(SCHEDULE)
                    .where(SCHEDULE.NAME.eq(param("name", SQLDataType.CLOB)))
                    .and(SCHEDULE.NEXT_TICK_AT.eq(time("seen")))
                    .and(SCHEDULE.CHANGED_AT.eq(time("changedAt")))
                    .and(SCHEDULE.NEXT_TICK_AT.le(Time.now()))
                    .and(SCHEDULE.PAUSED_AT.isNull())
                    .forNoKeyUpdate()
                    .skipLocked());
    var lastTask =
        select(field(name("ticked", "task_id"), SQLDataType.UUID))
            .from(name("ticked"))
            .orderBy(field(name("ticked", "tick_at")).desc())
            .limit(inline(1));
    return SqlText.of(
        schema,
        with(due)
            .with(ticked())
            .with(enqueued())
            .update(SCHEDULE)
            .set(SCHEDULE.NEXT_TICK_AT, time("next"))
            .set(SCHEDULE.LAST_TICK_AT, time("last"))
            .set(SCHEDULE.LAST_TASK_ID, coalesce(field(lastTask), SCHEDULE.LAST_TASK_ID))
            .from(table(name("due")))
            .where(SCHEDULE.NAME.eq(due(SCHEDULE.NAME)))
            .returningResult(
                field(selectCount().from(name("enqueued"))), SCHEDULE.QUEUE, SCHEDULE.KIND));
  }

  private static Field<OffsetDateTime> time(String parameter) {
    return param(parameter, SQLDataType.TIMESTAMPWITHTIMEZONE);
  }

  /** The ticks that are nobody's yet, unless the last one's task is in the way. */
  private static CommonTableExpression<?> ticked() {
    var columns = new Columns("t");
    var at = columns.column("tick_at", "ticks", SQLDataType.TIMESTAMPWITHTIMEZONE);
    var id = columns.column("task_id", "tasks", SQLDataType.UUID);
    var unfinished = selectOne().from(TASK).where(TASK.ID.eq(due(SCHEDULE.LAST_TASK_ID)));
    return name("ticked")
        .as(
            insertInto(SCHEDULE_TICK)
                .columns(SCHEDULE_TICK.SCHEDULE, SCHEDULE_TICK.TICK_AT, SCHEDULE_TICK.TASK_ID)
                .select(
                    select(due(SCHEDULE.NAME), at, id)
                        .from(table(name("due")))
                        .crossJoin(columns.rows())
                        .where(due(SCHEDULE.OVERLAP).eq(inline("allow")).or(notExists(unfinished))))
                .onConflictDoNothing()
                .returningResult(SCHEDULE_TICK.TICK_AT, SCHEDULE_TICK.TASK_ID));
  }

  private static CommonTableExpression<?> enqueued() {
    var columns = new Columns("r");
    var id = columns.column("task_id", "tasks", SQLDataType.UUID);
    var runAt = columns.column("run_at", "runAts", SQLDataType.TIMESTAMPWITHTIMEZONE);
    var at = columns.column("tick_text", "tickTexts", SQLDataType.CLOB);
    Field<OffsetDateTime> due = greatest(runAt, Time.now());
    var headers =
        field(
            "coalesce({0}, '{}') || jsonb_build_object({1}, {2}, {3}, {4})",
            SQLDataType.JSONB,
            due(SCHEDULE.HEADERS),
            inline(Schedule.NAME_HEADER),
            due(SCHEDULE.NAME),
            inline(Schedule.TICK_HEADER),
            at);
    return name("enqueued")
        .as(
            insertInto(TASK)
                .columns(InsertTasks.TIMED)
                .select(
                    select(
                            id,
                            due(SCHEDULE.QUEUE),
                            due(SCHEDULE.KIND),
                            due(SCHEDULE.PRIORITY),
                            when(due.gt(Time.now()), inline(SCHEDULED)).otherwise(inline(PENDING)),
                            due,
                            due(SCHEDULE.MAX_ATTEMPTS),
                            due(SCHEDULE.TIMEOUT),
                            due(SCHEDULE.PAYLOAD),
                            headers)
                        .from(table(name("due")))
                        .crossJoin(columns.rows())
                        .join(table(name("ticked")))
                        .on(field(name("ticked", "task_id"), SQLDataType.UUID).eq(id)))
                .returningResult(TASK.ID));
  }

  /** The schedules that are up next, the first {@code max}, due or not. */
  public List<Next> look(Connection connection, int max) throws SQLException {
    try (var statement = look.prepare(connection, Map.of("max", max));
        var row = statement.executeQuery()) {
      List<Next> found = new ArrayList<>();
      while (row.next()) {
        long every = row.getLong(6);
        @Nullable Duration interval = row.wasNull() ? null : Time.ofMicros(every);
        var rules =
            new Rules(
                new Beat(row.getString(5), interval, row.getString(7)),
                row.getString(8),
                row.getString(9),
                Time.ofMicros(row.getLong(10)));
        found.add(
            new Next(
                new Seen(row.getString(1), row.getObject(2, OffsetDateTime.class)),
                row.getObject(3, OffsetDateTime.class).toInstant(),
                row.getObject(4, OffsetDateTime.class).toInstant(),
                rules));
      }
      return found;
    }
  }

  /** Enqueues what was decided for a schedule that is due and stands as it was seen. */
  public Ticked tickIfDue(Connection connection, Next next, Decision decision) throws SQLException {
    var arrays = new Arrays(connection);
    List<Tick> runs = decision.runs();
    Map<String, @Nullable Object> values = new HashMap<>();
    values.put("name", next.seen().name());
    values.put("changedAt", next.seen().changedAt());
    values.put("seen", utc(next.at()));
    values.put("next", utc(decision.next()));
    values.put("last", utc(decision.last()));
    values.put("tasks", arrays.uuid(runs, Tick::task));
    values.put(
        "ticks", arrays.of("timestamptz", OffsetDateTime[]::new, runs, run -> utc(run.at())));
    values.put(
        "runAts", arrays.of("timestamptz", OffsetDateTime[]::new, runs, run -> utc(run.runAt())));
    values.put("tickTexts", arrays.text(runs, run -> run.at().toString()));
    try (var statement = tick.prepare(connection, values);
        var row = statement.executeQuery()) {
      return row.next()
          ? new Ticked(true, row.getInt(1), row.getString(2), row.getString(3))
          : Ticked.NOT;
    }
  }

  private static OffsetDateTime utc(Instant instant) {
    return instant.atOffset(ZoneOffset.UTC);
  }

  /** The statement, for those who review it. */
  SqlText text() {
    return tick;
  }
}
