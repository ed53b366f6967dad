package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.TASK;
import static dev.dibs.sql.schema.Tables.TASK_HISTORY;
import static org.jooq.impl.DSL.castNull;
import static org.jooq.impl.DSL.coalesce;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.position;

import dev.dibs.Codec;
import dev.dibs.Priority;
import dev.dibs.Task;
import dev.dibs.TaskRow;
import dev.dibs.TaskStatus;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jooq.Condition;
import org.jooq.Field;
import org.jooq.JSONB;
import org.jooq.Record;
import org.jooq.SelectField;
import org.jooq.Table;
import org.jooq.TableField;
import org.jooq.impl.SQLDataType;
import org.jspecify.annotations.Nullable;

/**
 * A row of task or of task_history as it is shown: all but what the task carries and its lease.
 *
 * <p>In two layers: the inner takes columns as they stand, so that rows which are only looked at
 * cost nothing; the outer takes errors and headers apart.
 */
final class ShownRow {
  private static final int MESSAGE_SHOWN = 500;
  private static final List<TableField<?, ?>> PLAIN =
      List.of(
          TASK.ID,
          TASK.STATUS,
          TASK.QUEUE,
          TASK.KIND,
          TASK.PRIORITY,
          TASK.CREATED_AT,
          TASK.RUN_AT,
          TASK.CLAIMED_AT,
          TASK.ATTEMPT,
          TASK.FAILURES,
          TASK.LOSSES,
          TASK.MAX_ATTEMPTS,
          TASK.WORKER_ID,
          TASK.UNIQUE_KEY,
          TASK.HEADERS);

  /** What the outer layer calls the inner one. */
  private final Table<?> from;

  ShownRow(Table<?> from) {
    this.from = from;
  }

  /** The inner layer's columns, of the one or the other table. */
  static List<SelectField<?>> taken(boolean isHistory) {
    List<SelectField<?>> taken = new ArrayList<>();
    for (Field<?> column : PLAIN) taken.add(isHistory ? ofHistory(column) : column);
    taken.add(isHistory ? TASK_HISTORY.ERRORS : TASK.ERRORS);
    taken.add(isHistory ? castNull(TASK.POSITION).as(TASK.POSITION) : TASK.POSITION);
    taken.add(
        isHistory
            ? TASK_HISTORY.FINISHED_AT
            : castNull(SQLDataType.TIMESTAMPWITHTIMEZONE).as(TASK_HISTORY.FINISHED_AT.getName()));
    return taken;
  }

  @SuppressWarnings("unchecked")
  static <T> Field<T> ofHistory(Field<T> column) {
    Field<?> same = TASK_HISTORY.field(column.getName());
    if (same == null) throw new IllegalStateException("history keeps no " + column.getName());
    return (Field<T>) same;
  }

  /** The outer layer's columns. */
  List<SelectField<?>> shown() {
    List<SelectField<?>> shown = new ArrayList<>();
    for (Field<?> column : PLAIN) shown.add(of(column));
    shown.add(of(TASK_HISTORY.FINISHED_AT));
    shown.add(of(TASK.POSITION));
    shown.add(lastError("class").as("error_type"));
    shown.add(
        field("left({0}, {1})", SQLDataType.CLOB, lastError("message"), inline(MESSAGE_SHOWN))
            .as("error_message"));
    return shown;
  }

  /** A column of the inner layer. */
  <T> Field<T> of(Field<T> column) {
    return field(name(from.getName(), column.getName()), column.getDataType());
  }

  private Field<String> lastError(String part) {
    return field("{0} -> -1 ->> {1}", SQLDataType.CLOB, of(TASK.ERRORS), inline(part));
  }

  /** Whether the last error has {@code part} in its class or message, in whatever case. */
  Condition errorHas(String part) {
    Field<String> text =
        coalesce(lastError("class"), inline(""))
            .concat(inline(": "))
            .concat(coalesce(lastError("message"), inline("")));
    return of(TASK.ERRORS)
        .isNotNull()
        .and(
            position(
                    org.jooq.impl.DSL.lower(text),
                    org.jooq.impl.DSL.lower(org.jooq.impl.DSL.val(part)))
                .gt(inline(0)));
  }

  /** Whether it has a header of this name and value. */
  Condition hasHeader(String header, String value) {
    return field("{0} ->> {1}", SQLDataType.CLOB, of(TASK.HEADERS), org.jooq.impl.DSL.val(header))
        .eq(value);
  }

  static TaskRow read(Record row) {
    @Nullable String errorType = row.get("error_type", String.class);
    @Nullable String errorMessage = row.get("error_message", String.class);
    return new TaskRow(
        row.get(TASK.ID.getName(), UUID.class),
        TaskStatus.valueOf(String.valueOf(row.get(TASK.STATUS.getName()))),
        new TaskRow.Place(
            row.get(TASK.QUEUE.getName(), String.class),
            row.get(TASK.KIND.getName(), String.class),
            Priority.ofLevel(row.get(TASK.PRIORITY.getName(), Short.class))),
        new TaskRow.Times(
            row.get(TASK.CREATED_AT.getName(), OffsetDateTime.class).toInstant(),
            row.get(TASK.RUN_AT.getName(), OffsetDateTime.class).toInstant(),
            instant(row.get(TASK.CLAIMED_AT.getName(), OffsetDateTime.class)),
            instant(row.get(TASK_HISTORY.FINISHED_AT.getName(), OffsetDateTime.class))),
        new Task.Tries(
            row.get(TASK.ATTEMPT.getName(), Integer.class),
            row.get(TASK.FAILURES.getName(), Integer.class),
            row.get(TASK.LOSSES.getName(), Integer.class),
            row.get(TASK.MAX_ATTEMPTS.getName(), Integer.class)),
        Optional.ofNullable(row.get(TASK.WORKER_ID.getName(), UUID.class)),
        new TaskRow.Labels(
            Optional.ofNullable(row.get(TASK.UNIQUE_KEY.getName(), String.class)),
            headers(row.get(TASK.HEADERS.getName(), JSONB.class))),
        errorType == null && errorMessage == null
            ? Optional.empty()
            : Optional.of(new TaskRow.LastError(text(errorType), text(errorMessage))));
  }

  static Optional<Instant> instant(@Nullable OffsetDateTime time) {
    return Optional.ofNullable(time).map(OffsetDateTime::toInstant);
  }

  static String text(@Nullable String text) {
    return text == null ? "" : text;
  }

  private static Map<String, String> headers(@Nullable JSONB headers) {
    Map<String, String> read = new HashMap<>();
    if (headers == null) return read;
    Map<?, ?> decoded = Codec.jackson().decode(headers.data(), Map.class);
    decoded.forEach((name, value) -> read.put(String.valueOf(name), String.valueOf(value)));
    return read;
  }
}
