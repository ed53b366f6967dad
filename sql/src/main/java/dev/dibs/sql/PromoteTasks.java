package dev.dibs.sql;

import static dev.dibs.sql.schema.Sequences.TASK_POSITION;
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
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jooq.impl.SQLDataType;

/**
 * Makes due tasks ready: SCHEDULED to PENDING, each with a new position.
 *
 * <p>Index: task_due. Locks: the promoted rows; rows another process is promoting are skipped, so
 * any number of processes may promote at once. One statement per call. Thread-safe.
 */
public final class PromoteTasks {
  /**
   * What was promoted.
   *
   * @param tasks how many
   * @param queues where they stand now
   * @param nextDue how long until the next scheduled task is due, where there is one
   */
  public record Promoted(int tasks, Set<String> queues, Optional<Duration> nextDue) {}

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
                    .returningResult(TASK.QUEUE));
    var queues =
        array(
            select(field(name("queue"), SQLDataType.CLOB))
                .distinctOn(field(name("queue")))
                .from(name("promoted")));
    var next =
        select(
                field(
                    "extract(epoch from {0} - statement_timestamp())",
                    SQLDataType.DOUBLE, min(TASK.RUN_AT)))
            .from(TASK)
            .where(TASK.STATUS.eq(inline(SCHEDULED)))
            .and(TASK.RUN_AT.gt(Time.now()));
    this.text =
        SqlText.of(
            schema,
            with(due).with(promoted).select(count(), queues, field(next)).from(name("promoted")));
  }

  /** Promotes at most {@code max} tasks, the longest due first. */
  public Promoted promote(Connection connection, int max) throws SQLException {
    try (var statement = text.prepare(connection, Map.of("max", max));
        var rows = statement.executeQuery()) {
      rows.next();
      double seconds = rows.getDouble(3);
      Optional<Duration> nextDue =
          rows.wasNull()
              ? Optional.empty()
              : Optional.of(Duration.ofMillis((long) Math.ceil(Math.min(seconds, 1e9) * 1e3)));
      return new Promoted(rows.getInt(1), Set.of((String[]) rows.getArray(2).getArray()), nextDue);
    }
  }

  /** The statement, for those who review it. */
  SqlText text() {
    return text;
  }
}
