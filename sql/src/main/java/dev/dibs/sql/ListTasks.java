package dev.dibs.sql;

import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.lateral;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.table;
import static org.jooq.impl.DSL.val;

import dev.dibs.Page;
import dev.dibs.TaskFilter;
import dev.dibs.TaskRow;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Record;
import org.jooq.Select;
import org.jooq.SelectField;
import org.jooq.impl.SQLDataType;
import org.jspecify.annotations.Nullable;

/**
 * Lists tasks that match a filter, a page at a time, by a bounded look.
 *
 * <p>An index is walked in its order from where the last page ended, and what the index does not
 * know is tested on the way, on so many rows at the most; the answer says how many rows were looked
 * at and where it goes on. Where an index knows one queue at a time each queue is walked, and the
 * walks are merged up to where all of them were looked at. Index: task_lane, task_due, task_held,
 * task_blocked, task_history_queue or task_history_dead; for ids the primary key and
 * task_history_id. Locks nothing. One or two statements a page, and one to find the queues where
 * none is given. Thread-safe.
 */
public final class ListTasks {
  private static final Field<String> QUEUE = field(name("q", "queue"), SQLDataType.CLOB);

  private final Schema schema;
  private final QueueNames names;

  public ListTasks(Schema schema) {
    this.schema = schema;
    this.names = new QueueNames(schema);
  }

  /**
   * What is walked.
   *
   * @param queues side by side; null: one walk
   * @param from behind these keys
   * @param look at so many rows of each
   */
  private record Look(
      Walk walk, @Nullable List<String> queues, @Nullable List<String> from, int look) {}

  /**
   * What was found on a walk, in its order.
   *
   * @param on where the walk goes on; empty: its end was reached
   */
  private record Found(List<Record> rows, int looked, Optional<Page.Cursor> on) {
    private static final Found NOTHING = new Found(List.of(), 0, Optional.empty());

    /** As a page; what was found from behind is turned round. */
    Page<TaskRow> page(Walk walk, boolean isFirst) {
      Optional<Page.Cursor> near =
          isFirst || rows.isEmpty()
              ? Optional.empty()
              : Optional.of(Page.Cursor.of(walk.keysOf(rows.getFirst())));
      List<TaskRow> shown = rows.stream().map(ShownRow::read).toList();
      return walk.isBack()
          ? new Page<>(shown.reversed(), looked, on, near)
          : new Page<>(shown, looked, near, on);
    }
  }

  /**
   * Lists at most {@code size} tasks and looks at about {@code look} rows at the most. The
   * transaction of {@code connection} must see one state of the database throughout.
   *
   * @throws IllegalArgumentException if the filter needs a queue, or the cursor is none of its list
   */
  public Page<TaskRow> list(
      Connection connection, TaskFilter filter, Optional<Page.Cursor> after, int size, int look) {
    Walk walk = Walk.of(filter);
    return walked(connection, filter, new Look(walk, null, keys(walk, after), look), size)
        .page(walk, after.isEmpty());
  }

  /** The same from there back towards the beginning; without a cursor: from the end. */
  public Page<TaskRow> listBack(
      Connection connection, TaskFilter filter, Optional<Page.Cursor> before, int size, int look) {
    Walk walk = Walk.of(filter).back();
    return walked(connection, filter, new Look(walk, null, keys(walk, before), look), size)
        .page(walk, before.isEmpty());
  }

  private static @Nullable List<String> keys(Walk walk, Optional<Page.Cursor> cursor) {
    return cursor.isEmpty() ? null : walk.keys(cursor.get());
  }

  private Found walked(Connection connection, TaskFilter filter, Look whole, int size) {
    Walk walk = whole.walk();
    DSLContext dsl = schema.dsl(connection);
    if (!walk.isByQueue()) return found(dsl, whole, size);
    List<String> queues =
        filter.queue().map(List::of).orElseGet(() -> names.of(connection, filter.status()));
    if (queues.isEmpty()) return Found.NOTHING;
    @Nullable List<String> from = whole.from();
    int look = whole.look();
    if (queues.size() == 1)
      return found(dsl, new Look(walk.in(val(queues.getFirst())), null, from, look), size);
    int each = walk.hasRest() ? Math.max(size + 1, look / queues.size()) : size + 1;
    return found(dsl, new Look(walk.in(QUEUE), queues, from, each), size);
  }

  private static Found found(DSLContext dsl, Look look, int size) {
    Walk walk = look.walk();
    List<Record> found = new ArrayList<>(dsl.fetch(matches(look, size + 1)));
    if (look.queues() == null) found.sort(Comparator.comparing(row -> row.get(Walk.NUMBER)));
    if (found.size() > size && look.queues() == null)
      return filled(walk, found, size, found.get(size - 1).get(Walk.NUMBER));
    List<? extends Record> lasts = dsl.fetch(lasts(look));
    int looked = lasts.stream().mapToInt(last -> last.get(Walk.NUMBER)).sum();
    // Beyond the first end of a walk that has more, rows of that one are missing.
    Optional<List<String>> horizon =
        lasts.stream()
            .filter(last -> last.get(Walk.NUMBER) == look.look())
            .map(walk::keysOf)
            .reduce((a, b) -> walk.compare(a, b) <= 0 ? a : b);
    List<Record> within = new ArrayList<>();
    for (Record one : found) {
      boolean isAll = horizon.isEmpty() || look.queues() == null;
      if (isAll || walk.compare(walk.keysOf(one), horizon.get()) <= 0) within.add(one);
    }
    if (within.size() > size) return filled(walk, within, size, looked);
    return new Found(within, looked, horizon.map(Page.Cursor::of));
  }

  private static Found filled(Walk walk, List<Record> found, int size, int looked) {
    List<Record> shown = found.subList(0, size);
    var on = Page.Cursor.of(walk.keysOf(shown.getLast()));
    return new Found(shown, looked, Optional.of(on));
  }

  /** The first rows that match, of those that are looked at. */
  private static Select<?> matches(Look look, int most) {
    Walk walk = look.walk();
    List<SelectField<?>> columns = new ArrayList<>(Walk.SHOWN.shown());
    columns.add(Walk.NUMBER);
    var rows = walk.rows(look.from(), look.look());
    // One walk brings its rows in their order, and stops when the page is full. Asked for once more
    // here, the planner does not see that, and would look at all the rows to sort them.
    if (look.queues() == null)
      return select(columns).from(rows.asTable("w")).where(walk.rest()).limit(most);
    return select(columns)
        .from(queues(look.queues()))
        .crossJoin(lateral(rows).as("w"))
        .where(walk.rest())
        .orderBy(walk.orderOfWalked())
        .limit(most);
  }

  /** Of each walk the last row that is looked at. */
  private static Select<?> lasts(Look look) {
    List<SelectField<?>> columns = new ArrayList<>();
    for (Field<?> key : look.walk().keys()) columns.add(Walk.SHOWN.of(key));
    columns.add(Walk.NUMBER);
    var rows = look.walk().rows(look.from(), look.look());
    var last = select(columns).from(rows.asTable("w")).orderBy(Walk.NUMBER.desc()).limit(1);
    if (look.queues() == null) return last;
    return select(lateral(last).as("w").fields())
        .from(queues(look.queues()))
        .crossJoin(lateral(last).as("w"));
  }

  private static org.jooq.Table<?> queues(List<String> queues) {
    return table("unnest({0})", val(queues.toArray(String[]::new))).as("q", "queue");
  }

  /** The statement of a page, for those who review it. */
  static Select<?> text(TaskFilter filter, Optional<Page.Cursor> after, int size, int look) {
    return text(Walk.of(filter), filter, after, size, look);
  }

  /** The statement of a page that is walked back to. */
  static Select<?> textBack(TaskFilter filter, Optional<Page.Cursor> before, int size, int look) {
    return text(Walk.of(filter).back(), filter, before, size, look);
  }

  private static Select<?> text(
      Walk walk, TaskFilter filter, Optional<Page.Cursor> cursor, int size, int look) {
    @Nullable List<String> from = keys(walk, cursor);
    if (walk.isByQueue() && filter.queue().isPresent()) walk = walk.in(val(filter.queue().get()));
    return matches(new Look(walk, null, from, look), size + 1);
  }
}
