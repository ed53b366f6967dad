package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.TASK;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.greatest;

import dev.dibs.Priority;
import dev.dibs.Task;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jooq.Field;
import org.jooq.SelectField;
import org.jooq.impl.SQLDataType;

/** A claimed task as the database answers it: the columns, once, and how they are read. */
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
          micros(TASK.CLAIMED_AT.sub(greatest(TASK.RUN_AT, TASK.CREATED_AT))).as("waited"),
          micros(TASK.TIMEOUT).as("timeout"),
          TASK.PAYLOAD.cast(SQLDataType.CLOB).as("payload"),
          TASK.HEADERS.cast(SQLDataType.CLOB).as("headers"));

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
    long timeout = row.getLong(11);
    Optional<Duration> limit = row.wasNull() ? Optional.empty() : Optional.of(duration(timeout));
    String headers = row.getString(13);
    return new Task(
        new Task.Hold(id(row), lease),
        new Task.Lane(row.getString(2), Priority.ofLevel(row.getInt(4))),
        row.getString(3),
        new Task.Tries(row.getInt(6), row.getInt(7), row.getInt(8), row.getInt(9)),
        new Task.Content(row.getString(12), headers == null ? "" : headers),
        new Task.Timing(duration(Math.max(0, row.getLong(10))), limit));
  }

  private static Duration duration(long micros) {
    return Duration.ofSeconds(micros / 1_000_000, micros % 1_000_000 * 1_000);
  }
}
