package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.SCHEDULE;
import static org.jooq.impl.DSL.castNull;
import static org.jooq.impl.DSL.coalesce;
import static org.jooq.impl.DSL.noCondition;
import static org.jooq.impl.DSL.val;

import dev.dibs.Codec;
import dev.dibs.DibsException;
import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.Misfire;
import dev.dibs.NewTask;
import dev.dibs.Overlap;
import dev.dibs.PayloadException;
import dev.dibs.Priority;
import dev.dibs.Rhythm;
import dev.dibs.Schedule;
import dev.dibs.SchedulePolicy;
import dev.dibs.Scheduled;
import dev.dibs.TaskOptions;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jooq.Condition;
import org.jooq.Field;
import org.jooq.JSONB;
import org.jooq.Record;
import org.jooq.impl.SQLDataType;
import org.jooq.types.YearToSecond;
import org.jspecify.annotations.Nullable;

/**
 * The schedule table, as people and declarations edit it.
 *
 * <p>When the next tick is cannot be said in SQL, so what depends on it is read, decided and
 * written under the condition that nobody changed it in between. Index: primary key, or all of the
 * small table. Locks: the one row. One or two statements a call. Thread-safe.
 */
public final class ScheduleRows {
  /**
   * A schedule as it was read.
   *
   * @param changedAt since when it stands so
   * @param now the database's time
   */
  public record Row(Scheduled scheduled, OffsetDateTime changedAt, Instant now) {
    /** No tick up to here may come again, whatever the clock does. */
    Instant decidedUntil() {
      Instant last = scheduled.lastTick().orElse(now);
      return last.isAfter(now) ? last : now;
    }
  }

  /** What a declaration came to. */
  public enum Declared {
    ADDED,
    CHANGED,
    /** The same or a newer one stands there. */
    KEPT,
    /** Another one stands there under the same version: it was left, and somebody is mistaken. */
    CONTRADICTED
  }

  private static final int MOST_PAYLOAD_BYTES = 256 << 10;

  private final Schema schema;
  private final Codec codec;

  public ScheduleRows(Schema schema, Codec codec) {
    this.schema = schema;
    this.codec = codec;
  }

  /** All schedules, by name. */
  public List<Row> all(Connection connection) {
    return read(connection, noCondition());
  }

  public Optional<Row> find(Connection connection, String name) {
    return read(connection, SCHEDULE.NAME.eq(name)).stream().findFirst();
  }

  private List<Row> read(Connection connection, Condition condition) {
    return schema
        .dsl(connection)
        .select(SCHEDULE.fields())
        .select(TickSchedules.misfire().as("policy"), Time.clock().as("clock"))
        .from(SCHEDULE)
        .where(condition)
        .orderBy(SCHEDULE.NAME)
        .fetch(this::understood);
  }

  private Row understood(Record row) {
    try {
      return row(row);
    } catch (IllegalArgumentException | DateTimeException e) {
      throw new DibsException(
          "schedule '%s' is not understood by this build: %s; use the build that wrote it, or remove it"
              .formatted(row.get(SCHEDULE.NAME), e.getMessage()),
          e);
    }
  }

  private Row row(Record row) {
    TaskOptions options =
        TaskOptions.DEFAULT
            .withQueue(row.get(SCHEDULE.QUEUE))
            .withPriority(Priority.ofLevel(row.get(SCHEDULE.PRIORITY)))
            .withMaxAttempts(row.get(SCHEDULE.MAX_ATTEMPTS))
            .withTimeout(
                Optional.ofNullable(row.get(SCHEDULE.TIMEOUT)).map(YearToSecond::toDuration))
            .withHeaders(headers(row.get(SCHEDULE.HEADERS)));
    var task = Kind.json(row.get(SCHEDULE.KIND)).task(new Json(row.get(SCHEDULE.PAYLOAD).data()));
    var policy =
        new SchedulePolicy(
            Misfire.parse(row.get("policy", String.class)),
            Overlap.parse(row.get(SCHEDULE.OVERLAP)),
            row.get(SCHEDULE.JITTER).toDuration());
    @Nullable YearToSecond every = row.get(SCHEDULE.EVERY);
    var schedule =
        new Schedule(
            row.get(SCHEDULE.NAME),
            rhythm(
                row.get(SCHEDULE.CRON),
                every == null ? null : every.toDuration(),
                row.get(SCHEDULE.ZONE)),
            new NewTask<>(task.id(), task.kind(), task.payload(), options),
            policy,
            row.get(SCHEDULE.VERSION));
    var scheduled =
        new Scheduled(
            schedule,
            row.get(SCHEDULE.NEXT_TICK_AT).toInstant(),
            Optional.ofNullable(row.get(SCHEDULE.LAST_TICK_AT)).map(OffsetDateTime::toInstant),
            pause(row));
    return new Row(
        scheduled,
        row.get(SCHEDULE.CHANGED_AT),
        row.get("clock", OffsetDateTime.class).toInstant());
  }

  private static Optional<Scheduled.Pause> pause(Record row) {
    @Nullable OffsetDateTime at = row.get(SCHEDULE.PAUSED_AT);
    if (at == null) return Optional.empty();
    return Optional.of(
        new Scheduled.Pause(
            at.toInstant(), text(row.get(SCHEDULE.PAUSED_BY)), text(row.get(SCHEDULE.PAUSED_WHY))));
  }

  private static String text(@Nullable String text) {
    return text == null ? "" : text;
  }

  private Map<String, String> headers(@Nullable JSONB headers) {
    if (headers == null) return Map.of();
    Map<String, String> read = new HashMap<>();
    Map<?, ?> decoded = codec.decode(headers.data(), Map.class);
    decoded.forEach((name, value) -> read.put(String.valueOf(name), String.valueOf(value)));
    return read;
  }

  /**
   * The rhythm that the columns mean.
   *
   * @throws IllegalArgumentException or DateTimeException if this build does not understand them
   */
  static Rhythm rhythm(@Nullable String cron, @Nullable Duration every, String zone) {
    if (cron != null) return Rhythm.cron(cron, ZoneId.of(zone));
    if (every != null) return Rhythm.every(every);
    throw new IllegalArgumentException("it has neither cron nor interval");
  }

  /**
   * Adds a schedule; it ticks from now on.
   *
   * @return false if there is one of that name, which is left as it is
   * @throws PayloadException if the task's payload or headers cannot be kept
   */
  public boolean insertIfAbsent(Connection connection, Schedule schedule) {
    Instant now = clock(connection);
    Map<Field<?>, Object> values = columns(schedule);
    values.put(SCHEDULE.NAME, schedule.name());
    values.put(SCHEDULE.VERSION, schedule.version());
    values.put(SCHEDULE.NEXT_TICK_AT, utc(schedule.rhythm().next(now)));
    return schema.dsl(connection).insertInto(SCHEDULE).set(values).onConflictDoNothing().execute()
        == 1;
  }

  private Instant clock(Connection connection) {
    return schema.dsl(connection).select(Time.clock()).fetchSingle().value1().toInstant();
  }

  /**
   * Puts {@code schedule} in the place of {@code seen}, under its own version. It ticks by the new
   * rhythm from now on; where that is the old one, nothing is lost of it.
   *
   * @return false if it was changed or removed in between
   */
  public boolean changeIfAsSeen(Connection connection, Row seen, Schedule schedule) {
    Map<Field<?>, Object> values = columns(schedule);
    values.put(SCHEDULE.VERSION, schedule.version());
    values.put(SCHEDULE.CHANGED_AT, Time.clock());
    if (!schedule.rhythm().equals(seen.scheduled().schedule().rhythm()))
      values.put(SCHEDULE.NEXT_TICK_AT, utc(schedule.rhythm().next(seen.decidedUntil())));
    return update(connection, seen, values);
  }

  /**
   * Lets a schedule tick again, from now on: what passed while it was paused was not missed.
   *
   * @return false if it was changed or removed in between
   */
  public boolean resumeIfAsSeen(Connection connection, Row seen) {
    Map<Field<?>, Object> values = new HashMap<>();
    values.put(SCHEDULE.PAUSED_AT, castNull(SCHEDULE.PAUSED_AT));
    values.put(SCHEDULE.PAUSED_BY, castNull(SCHEDULE.PAUSED_BY));
    values.put(SCHEDULE.PAUSED_WHY, castNull(SCHEDULE.PAUSED_WHY));
    values.put(SCHEDULE.CHANGED_AT, Time.clock());
    Rhythm rhythm = seen.scheduled().schedule().rhythm();
    values.put(SCHEDULE.NEXT_TICK_AT, utc(rhythm.next(seen.decidedUntil())));
    return update(connection, seen, values);
  }

  private boolean update(Connection connection, Row seen, Map<Field<?>, Object> values) {
    return schema
            .dsl(connection)
            .update(SCHEDULE)
            .set(values)
            .where(SCHEDULE.NAME.eq(seen.scheduled().schedule().name()))
            .and(SCHEDULE.CHANGED_AT.eq(seen.changedAt()))
            .execute()
        == 1;
  }

  /** Stops a schedule's ticks until it is resumed; answers whether there is one of that name. */
  public boolean pause(Connection connection, String name, String by, String why) {
    return schema
            .dsl(connection)
            .update(SCHEDULE)
            .set(SCHEDULE.PAUSED_AT, coalesce(SCHEDULE.PAUSED_AT, Time.clock()))
            .set(SCHEDULE.PAUSED_BY, by)
            .set(SCHEDULE.PAUSED_WHY, why)
            .set(SCHEDULE.CHANGED_AT, Time.clock())
            .where(SCHEDULE.NAME.eq(name))
            .execute()
        == 1;
  }

  /** Removes a schedule; its tasks stay. Answers whether there was one of that name. */
  public boolean remove(Connection connection, String name) {
    return schema.dsl(connection).deleteFrom(SCHEDULE).where(SCHEDULE.NAME.eq(name)).execute() == 1;
  }

  /**
   * Enters a schedule that is declared in code: where there is none, or one under a lower version.
   * A paused one stays paused.
   */
  public Declared declare(Connection connection, Schedule declared) {
    while (true) {
      Optional<Row> found = find(connection, declared.name());
      if (found.isEmpty()) {
        if (insertIfAbsent(connection, declared)) return Declared.ADDED;
        continue; // another process was faster: look at what it entered
      }
      int standing = found.get().scheduled().schedule().version();
      if (standing > declared.version()) return Declared.KEPT;
      if (standing == declared.version())
        return isSame(connection, found.get(), declared) ? Declared.KEPT : Declared.CONTRADICTED;
      if (changeIfAsSeen(connection, found.get(), declared)) return Declared.CHANGED;
    }
  }

  private boolean isSame(Connection connection, Row row, Schedule declared) {
    Schedule standing = row.scheduled().schedule();
    return standing.rhythm().equals(declared.rhythm())
        && standing.policy().equals(declared.policy())
        && standing.task().kind().name().equals(declared.task().kind().name())
        && standing.task().options().equals(declared.task().options())
        && hasPayload(connection, declared);
  }

  /** The database compares: it keeps JSON in an order and a spelling of its own. */
  private boolean hasPayload(Connection connection, Schedule declared) {
    return schema
        .dsl(connection)
        .fetchExists(
            SCHEDULE,
            SCHEDULE.NAME.eq(declared.name()),
            SCHEDULE.PAYLOAD.eq(JSONB.valueOf(payload(declared))));
  }

  private String payload(Schedule schedule) {
    String payload = codec.encode(schedule.task().payload());
    int bytes = payload.getBytes(StandardCharsets.UTF_8).length;
    if (bytes > MOST_PAYLOAD_BYTES)
      throw new PayloadException(
          "the payload of schedule '%s' has %d bytes, at most %d are taken; keep large data elsewhere and schedule a reference to it"
              .formatted(schedule.name(), bytes, MOST_PAYLOAD_BYTES));
    return payload;
  }

  /** What a schedule is, but for its name, its version and its ticks. */
  private Map<Field<?>, Object> columns(Schedule schedule) {
    TaskOptions options = schedule.task().options();
    SchedulePolicy policy = schedule.policy();
    Map<Field<?>, Object> values = new HashMap<>();
    putRhythm(values, schedule.rhythm());
    putMisfire(values, policy.misfire());
    values.put(SCHEDULE.OVERLAP, policy.overlap().text());
    values.put(SCHEDULE.JITTER, interval(policy.jitter()));
    values.put(SCHEDULE.QUEUE, options.queue());
    values.put(SCHEDULE.KIND, schedule.task().kind().name());
    values.put(SCHEDULE.PAYLOAD, JSONB.valueOf(payload(schedule)));
    values.put(
        SCHEDULE.HEADERS,
        options.headers().isEmpty()
            ? castNull(SCHEDULE.HEADERS)
            : JSONB.valueOf(codec.encode(options.headers())));
    values.put(SCHEDULE.PRIORITY, options.priority().level());
    values.put(SCHEDULE.MAX_ATTEMPTS, options.maxAttempts());
    values.put(
        SCHEDULE.TIMEOUT,
        options.timeout().<Object>map(ScheduleRows::interval).orElse(castNull(SCHEDULE.TIMEOUT)));
    return values;
  }

  private static void putRhythm(Map<Field<?>, Object> values, Rhythm rhythm) {
    switch (rhythm) {
      case Rhythm.Cron(var expression, var zone) -> {
        values.put(SCHEDULE.CRON, expression);
        values.put(SCHEDULE.EVERY, castNull(SCHEDULE.EVERY));
        values.put(SCHEDULE.ZONE, zone.getId());
      }
      case Rhythm.Every(var every) -> {
        values.put(SCHEDULE.CRON, castNull(SCHEDULE.CRON));
        values.put(SCHEDULE.EVERY, interval(every));
        values.put(SCHEDULE.ZONE, "UTC");
      }
    }
  }

  private static void putMisfire(Map<Field<?>, Object> values, Misfire misfire) {
    boolean catchesUp = misfire instanceof Misfire.CatchUp;
    values.put(SCHEDULE.MISFIRE, catchesUp ? "catch-up" : misfire.text());
    values.put(
        SCHEDULE.CATCH_UP,
        misfire instanceof Misfire.CatchUp(int most) ? most : castNull(SCHEDULE.CATCH_UP));
  }

  private static Field<YearToSecond> interval(Duration duration) {
    return Time.micros(val(Time.micros(duration), SQLDataType.BIGINT));
  }

  private static OffsetDateTime utc(Instant instant) {
    return instant.atOffset(ZoneOffset.UTC);
  }
}
