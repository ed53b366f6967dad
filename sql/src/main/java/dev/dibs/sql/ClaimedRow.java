package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.TASK;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.greatest;

import dev.dibs.Priority;
import dev.dibs.Task;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jooq.Field;
import org.jooq.SelectField;
import org.jooq.impl.SQLDataType;

/**
 * A claimed task as the database answers it: the columns, once, and how they are read.
 *
 * <p>As they stand in the row: what is converted or computed there costs the server more than the
 * client, and the server is what many processes share.
 */
final class ClaimedRow {
  private static final List<Field<?>> COLUMNS =
      List.of(
          TASK.ID,
          TASK.QUEUE,
          TASK.KIND,
          TASK.PRIORITY,
          TASK.POSITION,
          TASK.ATTEMPT,
          TASK.FAILURES,
          TASK.LOSSES,
          TASK.MAX_ATTEMPTS,
          greatest(TASK.RUN_AT, TASK.CREATED_AT).as("ready_at"),
          TASK.CLAIMED_AT,
          micros(TASK.TIMEOUT).as("timeout"),
          TASK.PAYLOAD,
          TASK.HEADERS);

  private ClaimedRow() {}

  private static Field<Long> micros(Field<?> interval) {
    return field("date_part('epoch', {0}) * 1e6", SQLDataType.DOUBLE, interval)
        .cast(SQLDataType.BIGINT);
  }

  /** The columns of a row of task. */
  static List<? extends SelectField<?>> columns() {
    return COLUMNS;
  }

  static UUID id(ResultSet row) throws SQLException {
    return row.getObject(1, UUID.class);
  }

  static long position(ResultSet row) throws SQLException {
    return row.getLong(5);
  }

  static Task read(ResultSet row, UUID lease) throws SQLException {
    long timeout = row.getLong(12);
    Optional<Duration> limit = row.wasNull() ? Optional.empty() : Optional.of(duration(timeout));
    String headers = row.getString(14);
    return new Task(
        new Task.Hold(id(row), lease),
        new Task.Lane(row.getString(2), Priority.ofLevel(row.getInt(4))),
        row.getString(3),
        new Task.Tries(row.getInt(6), row.getInt(7), row.getInt(8), row.getInt(9)),
        new Task.Content(row.getString(13), headers == null ? "" : headers),
        new Task.Timing(waited(row), limit));
  }

  /** None where it is unknown, or where clocks disagree. */
  private static Duration waited(ResultSet row) throws SQLException {
    var claimedAt = row.getObject(11, OffsetDateTime.class);
    if (claimedAt == null) return Duration.ZERO;
    Duration waited = Duration.between(row.getObject(10, OffsetDateTime.class), claimedAt);
    return waited.isNegative() ? Duration.ZERO : waited;
  }

  private static Duration duration(long micros) {
    return Duration.ofSeconds(micros / 1_000_000, micros % 1_000_000 * 1_000);
  }
}
