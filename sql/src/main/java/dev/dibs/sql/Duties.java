package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.DUTY;
import static dev.dibs.sql.schema.Tables.SCHEDULE_TICK;
import static org.jooq.impl.DSL.val;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import org.jooq.DSLContext;

/**
 * The rows of duty: what some process must do now and then.
 *
 * <p>A duty is taken by moving its next run ahead, in a transaction of its own, before it is done:
 * two processes never do the same one, no lock is held while it is done, and one that fails comes
 * again an interval later. Locks: the one row, skipping what others have taken. Thread-safe.
 */
public final class Duties {
  private final Schema schema;

  public Duties(Schema schema) {
    this.schema = schema;
  }

  /**
   * Takes one duty that is due; empty if there is none. {@code connection} must be in auto-commit.
   */
  public Optional<String> takeDue(Connection connection) {
    DSLContext dsl = schema.dsl(connection);
    var due =
        dsl.select(DUTY.NAME)
            .from(DUTY)
            .where(DUTY.NEXT_RUN_AT.le(Time.clock()))
            .orderBy(DUTY.NEXT_RUN_AT)
            .limit(org.jooq.impl.DSL.inline(1))
            .forNoKeyUpdate()
            .skipLocked();
    return dsl.update(DUTY)
        .set(DUTY.LAST_RUN_AT, Time.clock())
        .set(DUTY.NEXT_RUN_AT, Time.clock().add(DUTY.EVERY))
        .where(DUTY.NAME.eq(org.jooq.impl.DSL.any(org.jooq.impl.DSL.array(due))))
        .returningResult(DUTY.NAME)
        .fetchOptional(row -> row.value1());
  }

  /**
   * Creates the history partitions of today and the days ahead; answers how many, or nothing where
   * it gave way to somebody who reads history: try again soon.
   */
  public OptionalInt createPartitions(Connection connection, int daysAhead) throws SQLException {
    return call(connection, "create_history_partitions", daysAhead);
  }

  /** Drops the history partitions that every retention has passed; answers how many. */
  public int prune(Connection connection) throws SQLException {
    return call(connection, "prune_history").orElse(0);
  }

  /**
   * Deletes of history what the retention of its queue has passed while others keep the partition;
   * looks at so many rows at the most, and answers whether there are more to look at.
   */
  public boolean pruneRows(Connection connection, int most) {
    String sql = "select \"%s\".prune_history_rows({0})".formatted(schema.name());
    return schema.dsl(connection).fetchSingle(sql, val(most)).get(0, Boolean.class);
  }

  /**
   * Forgets of the audit what it is to keep no longer, so many rows at the most; answers whether
   * there may be more.
   */
  public boolean pruneAudit(Connection connection, int most) {
    String sql = "select \"%s\".prune_audit({0})".formatted(schema.name());
    return schema.dsl(connection).fetchSingle(sql, val(most)).get(0, Boolean.class);
  }

  /** Lets a duty come again sooner than it would. */
  public void comeAgain(Connection connection, String duty, Duration after) {
    schema
        .dsl(connection)
        .update(DUTY)
        .set(DUTY.NEXT_RUN_AT, Time.clock().add(Time.micros(val(Time.micros(after)))))
        .where(DUTY.NAME.eq(duty))
        .execute();
  }

  /**
   * Forgets the ticks of more than {@code kept} ago; answers how many. Their schedules have gone on
   * since.
   */
  public int pruneTicks(Connection connection, Duration kept) {
    var old = Time.clock().sub(Time.micros(val(Time.micros(kept))));
    return schema
        .dsl(connection)
        .deleteFrom(SCHEDULE_TICK)
        .where(SCHEDULE_TICK.TICK_AT.lt(old))
        .execute();
  }

  /** Forgets unique keys whose windows are over; answers how many. */
  public int forgetWindows(Connection connection) {
    return UniqueWindows.forget(schema, connection);
  }

  private OptionalInt call(Connection connection, String function, Object... arguments)
      throws SQLException {
    String marks = arguments.length == 0 ? "" : "?";
    try (var statement =
        connection.prepareStatement(
            "select \"%s\".%s(%s)".formatted(schema.name(), function, marks))) {
      for (int i = 0; i < arguments.length; i++) statement.setObject(i + 1, arguments[i]);
      try (var rows = statement.executeQuery()) {
        rows.next();
        int answer = rows.getInt(1);
        return rows.wasNull() ? OptionalInt.empty() : OptionalInt.of(answer);
      }
    }
  }
}
