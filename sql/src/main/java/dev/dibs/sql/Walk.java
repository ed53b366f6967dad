package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.TASK;
import static dev.dibs.sql.schema.Tables.TASK_HISTORY;
import static org.jooq.impl.DSL.asterisk;
import static org.jooq.impl.DSL.condition;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.noCondition;
import static org.jooq.impl.DSL.rowNumber;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.table;
import static org.jooq.impl.DSL.val;

import dev.dibs.Page;
import dev.dibs.TaskFilter;
import dev.dibs.sql.schema.enums.TaskStatus;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jooq.Condition;
import org.jooq.Field;
import org.jooq.Record;
import org.jooq.Select;
import org.jooq.SortField;
import org.jooq.Table;
import org.jooq.impl.SQLDataType;
import org.jspecify.annotations.Nullable;

/**
 * How tasks that match a filter are walked: in which order, what of the filter the index knows, and
 * what is tested on the way. Immutable.
 *
 * @param keys what the order is by; together they tell rows apart
 * @param index what an index finds
 * @param rest what is tested on each row that was found
 * @param isByQueue whether the order holds within a queue only
 * @param isBack whether it is walked from its end to its beginning
 */
record Walk(
    boolean isHistory,
    List<Field<?>> keys,
    Condition index,
    Condition rest,
    boolean isByQueue,
    boolean isBack) {
  private static final Table<Record> WALKED = table(name("w"));
  static final ShownRow SHOWN = new ShownRow(WALKED);

  /** The number of a row among those that were looked at. */
  static final Field<Integer> NUMBER = field(name("w", "n"), SQLDataType.INTEGER);

  private Walk(
      boolean isHistory, List<Field<?>> keys, Condition index, Condition rest, boolean isByQueue) {
    this(isHistory, keys, index, rest, isByQueue, false);
  }

  static Walk of(TaskFilter filter) {
    boolean isHistory = filter.status().isFinal();
    if (!filter.ids().isEmpty()) return byIds(filter, isHistory);
    if (isHistory) return ofHistory(filter);
    return switch (filter.status()) {
      case PENDING -> {
        Condition lane =
            is(TaskStatus.PENDING)
                .and(filter.priority().map(p -> TASK.PRIORITY.eq(p.level())).orElse(noCondition()));
        yield new Walk(
            false,
            List.of(TASK.PRIORITY, TASK.POSITION),
            lane,
            rest(filter, false).and(within(filter, SHOWN.of(TASK.RUN_AT))),
            true);
      }
      case SCHEDULED ->
          new Walk(
              false,
              List.of(TASK.RUN_AT, TASK.ID),
              is(TaskStatus.SCHEDULED).and(within(filter, TASK.RUN_AT)),
              rest(filter, true),
              false);
      case PROCESSING ->
          new Walk(
              false,
              List.of(TASK.WORKER_ID, TASK.ID),
              is(TaskStatus.PROCESSING)
                  .and(filter.worker().map(TASK.WORKER_ID::eq).orElse(noCondition())),
              rest(filter, true).and(within(filter, SHOWN.of(TASK.CLAIMED_AT))),
              false);
      case BLOCKED ->
          new Walk(
              false,
              List.of(TASK.QUEUE, TASK.ID),
              is(TaskStatus.BLOCKED).and(filter.queue().map(TASK.QUEUE::eq).orElse(noCondition())),
              rest(filter, false).and(within(filter, SHOWN.of(TASK.RUN_AT))),
              false);
      case SUCCEEDED, DEAD, CANCELLED -> throw new IllegalStateException("history");
    };
  }

  private static Walk ofHistory(TaskFilter filter) {
    boolean isIndexed = filter.status() == dev.dibs.TaskStatus.DEAD;
    TaskStatus status = TaskStatus.valueOf(filter.status().name());
    Condition index = within(filter, TASK_HISTORY.FINISHED_AT);
    Condition rest = rest(filter, false);
    return new Walk(
        true,
        List.of(TASK_HISTORY.FINISHED_AT, TASK_HISTORY.ID),
        isIndexed ? index.and(TASK_HISTORY.STATUS.eq(inline(status))) : index,
        isIndexed ? rest : rest.and(SHOWN.of(TASK.STATUS).eq(inline(status))),
        true);
  }

  /** Few and known: each is looked up. */
  private static Walk byIds(TaskFilter filter, boolean isHistory) {
    Field<UUID> id = isHistory ? TASK_HISTORY.ID : TASK.ID;
    Condition those = id.in(filter.ids());
    if (isHistory) those = those.and(TASK_HISTORY.FINISHED_AT.ge(EndedSince.any(filter.ids())));
    TaskStatus status = TaskStatus.valueOf(filter.status().name());
    Field<OffsetDateTime> time =
        isHistory
            ? TASK_HISTORY.FINISHED_AT
            : status == TaskStatus.PROCESSING ? TASK.CLAIMED_AT : TASK.RUN_AT;
    return new Walk(
        isHistory,
        List.of(id),
        those,
        rest(filter, true)
            .and(SHOWN.of(TASK.STATUS).eq(inline(status)))
            .and(within(filter, SHOWN.of(time))),
        false);
  }

  private static Condition is(TaskStatus status) {
    return TASK.STATUS.eq(inline(status)); // a constant of the partial index
  }

  private static Condition within(TaskFilter filter, Field<OffsetDateTime> time) {
    Condition since = filter.time().since().map(at -> time.ge(utc(at))).orElse(noCondition());
    return since.and(filter.time().until().map(at -> time.lt(utc(at))).orElse(noCondition()));
  }

  private static OffsetDateTime utc(Instant instant) {
    return instant.atOffset(ZoneOffset.UTC);
  }

  private static Condition rest(TaskFilter filter, boolean testsQueue) {
    List<Optional<Condition>> tests =
        List.of(
            testsQueue ? filter.queue().map(SHOWN.of(TASK.QUEUE)::eq) : Optional.empty(),
            filter.kind().map(SHOWN.of(TASK.KIND)::eq),
            filter.status() == dev.dibs.TaskStatus.PENDING && filter.ids().isEmpty()
                ? Optional.empty()
                : filter.priority().map(p -> SHOWN.of(TASK.PRIORITY).eq(p.level())),
            filter.status() == dev.dibs.TaskStatus.PROCESSING && filter.ids().isEmpty()
                ? Optional.empty()
                : filter.worker().map(SHOWN.of(TASK.WORKER_ID)::eq),
            filter.traits().header().map(h -> SHOWN.hasHeader(h.name(), h.value())),
            filter.traits().error().map(SHOWN::errorHas));
    Condition rest = noCondition();
    for (Optional<Condition> test : tests) rest = rest.and(test.orElse(noCondition()));
    return rest;
  }

  /** Whether rows are looked at that may not match. */
  boolean hasRest() {
    return !rest.equals(noCondition());
  }

  /** The walk of one queue. */
  Walk in(Field<String> queue) {
    Field<String> column = isHistory ? TASK_HISTORY.QUEUE : TASK.QUEUE;
    return new Walk(isHistory, keys, index.and(column.eq(queue)), rest, false, isBack);
  }

  /** The same from its end to its beginning. */
  Walk back() {
    return new Walk(isHistory, keys, index, rest, isByQueue, true);
  }

  private boolean isDescending() {
    return isHistory != isBack;
  }

  /** At most {@code look} rows behind {@code from}, numbered in their order. */
  Select<?> rows(@Nullable List<String> from, int look) {
    Table<?> table = isHistory ? TASK_HISTORY : TASK;
    var found =
        select(ShownRow.taken(isHistory))
            .from(table)
            .where(index)
            .and(from == null ? noCondition() : behind(from))
            .orderBy(order(keys))
            .limit(look)
            .asTable("x");
    return select(asterisk()).select(rowNumber().over().as(NUMBER.getName())).from(found);
  }

  private List<SortField<?>> order(List<Field<?>> keys) {
    List<SortField<?>> order = new ArrayList<>();
    for (Field<?> key : keys) order.add(isDescending() ? key.desc() : key.asc());
    return order;
  }

  /** The same order, of rows that were walked. */
  List<SortField<?>> orderOfWalked() {
    List<Field<?>> walked = new ArrayList<>();
    for (Field<?> key : keys) walked.add(SHOWN.of(key));
    return order(walked);
  }

  private Condition behind(List<String> from) {
    String compare = isDescending() ? "<" : ">";
    if (keys.size() == 1)
      return condition("{0} " + compare + " {1}", keys.getFirst(), value(0, from));
    return condition(
        "({0}, {1}) " + compare + " ({2}, {3})",
        keys.get(0),
        keys.get(1),
        value(0, from),
        value(1, from));
  }

  private Field<?> value(int key, List<String> from) {
    Field<?> column = keys.get(key);
    String text = from.get(key);
    Class<?> type = column.getType();
    if (type == OffsetDateTime.class)
      return val(utc(Instant.parse(text)), SQLDataType.TIMESTAMPWITHTIMEZONE);
    if (type == UUID.class) return val(UUID.fromString(text));
    if (type == Short.class) return val(Short.valueOf(text));
    if (type == Long.class) return val(Long.valueOf(text));
    return val(text);
  }

  /**
   * The keys of a cursor of this walk.
   *
   * @throws IllegalArgumentException if it is none
   */
  List<String> keys(Page.Cursor cursor) {
    List<String> from = cursor.keys(keys.size());
    try {
      for (int i = 0; i < keys.size(); i++) value(i, from);
      return from;
    } catch (IllegalArgumentException | DateTimeException e) {
      throw cursor.refused();
    }
  }

  /** The keys of a row that was walked. */
  List<String> keysOf(Record row) {
    List<String> texts = new ArrayList<>();
    for (Field<?> key : keys) {
      Object value = row.get(key.getName());
      texts.add(
          value instanceof OffsetDateTime time
              ? time.toInstant().toString()
              : String.valueOf(value));
    }
    return texts;
  }

  /** By the order of the walk; of such walks only as are merged. */
  int compare(List<String> a, List<String> b) {
    for (int i = 0; i < keys.size(); i++) {
      Class<?> type = keys.get(i).getType();
      int order;
      if (type == OffsetDateTime.class)
        order = Instant.parse(a.get(i)).compareTo(Instant.parse(b.get(i)));
      else if (type == UUID.class)
        order = a.get(i).compareTo(b.get(i)); // as bytes, as the database
      else order = Long.compare(Long.parseLong(a.get(i)), Long.parseLong(b.get(i)));
      if (order != 0) return isDescending() ? -order : order;
    }
    return 0;
  }
}
