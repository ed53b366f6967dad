package dev.dibs.sql;

import static dev.dibs.sql.schema.Sequences.TASK_POSITION;
import static dev.dibs.sql.schema.Tables.SCHEDULE;
import static dev.dibs.sql.schema.Tables.TASK;
import static dev.dibs.sql.schema.enums.TaskStatus.PENDING;
import static dev.dibs.sql.schema.enums.TaskStatus.SCHEDULED;
import static org.jooq.impl.DSL.any;
import static org.jooq.impl.DSL.array;
import static org.jooq.impl.DSL.count;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.min;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.param;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.update;
import static org.jooq.impl.DSL.with;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jooq.Field;
import org.jooq.impl.SQLDataType;

/**
 * Makes due tasks ready: SCHEDULED to PENDING, each with a new position.
 *
 * <p>Index: task_due. Locks: the promoted rows; rows another process is promoting are skipped, so
 * any number of processes may promote at once. One statement per call. Thread-safe.
 *
 * <p>It also tells when the next schedule ticks, by schedule_due: asked for apart that would be
 * another statement of an idle process.
 */
public final class PromoteTasks {
  /**
   * What was promoted.
   *
   * @param tasks how many
   * @param queues where they stand now
   * @param nextDue how long until the next scheduled task is due, where there is one
   * @param nextTick how long until a schedule ticks, not positive if one should have; where there
   *     is one
   */
  public record Promoted(
      int tasks, Set<String> queues, Optional<Duration> nextDue, Optional<Duration> nextTick) {}

  private final SqlText text;

  public PromoteTasks(Schema schema) {
    var due =
        name("due")
            .asMaterialized(
                select(TASK.ID)
                    .from(TASK)
                    .where(TASK.STATUS.eq(inline(SCHEDULED)))
                    .and(TASK.RUN_AT.le(Time.now()))
                    .orderBy(TASK.RUN_AT, TASK.ID)
                    .limit(param("max", Integer.class))
                    .forNoKeyUpdate()
                    .skipLocked());
    var promoted =
        name("promoted")
            .as(
                update(TASK)
                    .set(TASK.STATUS, inline(PENDING))
                    .set(TASK.POSITION, TASK_POSITION.nextval())
                    .where(
                        TASK.ID.eq(
                            any(array(select(field(name("id"), UUID.class)).from(name("due"))))))
                    .and(ChosenRow.isStill(SCHEDULED))
                    .and(TASK.RUN_AT.le(Time.now()))
                    .returningResult(TASK.QUEUE));
    var queues =
        array(
            select(field(name("queue"), SQLDataType.CLOB))
                .distinctOn(field(name("queue")))
                .from(name("promoted")));
    var tick =
        select(until(SCHEDULE.NEXT_TICK_AT)).from(SCHEDULE).where(SCHEDULE.PAUSED_AT.isNull());
    var next =
        select(until(TASK.RUN_AT))
            .from(TASK)
            .where(TASK.STATUS.eq(inline(SCHEDULED)))
            .and(TASK.RUN_AT.gt(Time.now()));
    this.text =
        SqlText.of(
            schema,
            with(due)
                .with(promoted)
                .select(count(), queues, field(next), field(tick))
                .from(name("promoted")));
  }

  private static Field<Double> until(Field<OffsetDateTime> times) {
    return field("extract(epoch from {0} - statement_timestamp())", SQLDataType.DOUBLE, min(times));
  }

  /** Promotes at most {@code max} tasks, the longest due first. */
  public Promoted promote(Connection connection, int max) throws SQLException {
    try (var statement = text.prepare(connection, Map.of("max", max));
        var rows = statement.executeQuery()) {
      rows.next();
      Set<String> queues = Set.of((String[]) rows.getArray(2).getArray());
      return new Promoted(rows.getInt(1), queues, duration(rows, 3), duration(rows, 4));
    }
  }

  private static Optional<Duration> duration(ResultSet row, int column) throws SQLException {
    double seconds = row.getDouble(column);
    if (row.wasNull()) return Optional.empty();
    double bounded = Math.max(-1, Math.min(seconds, 1e9));
    return Optional.of(Duration.ofMillis((long) Math.ceil(bounded * 1e3)));
  }

  /** The statement, for those who review it. */
  SqlText text() {
    return text;
  }
}
