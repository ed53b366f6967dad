package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.TASK;
import static dev.dibs.sql.schema.enums.TaskStatus.BLOCKED;
import static dev.dibs.sql.schema.enums.TaskStatus.PENDING;
import static dev.dibs.sql.schema.enums.TaskStatus.SCHEDULED;
import static org.jooq.impl.DSL.coalesce;
import static org.jooq.impl.DSL.excluded;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.insertInto;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.noCondition;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.when;

import dev.dibs.Landing;
import dev.dibs.OnConflict;
import dev.dibs.Unique;
import dev.dibs.UniqueScope;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jooq.Condition;
import org.jooq.Field;
import org.jooq.Query;
import org.jooq.impl.SQLDataType;
import org.jspecify.annotations.Nullable;

/**
 * Inserts tasks with unique keys, or does to the ones that wait under those keys what the new ones
 * ask for.
 *
 * <p>The indexes decide. Keys are settled in one order, each for good before the next, so two
 * batches never wait for each other crosswise: runs of tasks that ask for the same go in by one
 * statement. A task that was ever claimed is neither locked nor changed, so an open transaction of
 * a caller's holds up no worker.
 *
 * <p>Index: task_unique_waiting, task_unique_held and the primary key. Locks: the new rows, waiting
 * ones that are changed, rows of unique_window. One statement a run, two where keys are held.
 * Thread-safe.
 */
public final class InsertUniqueTasks {
  /**
   * What became of a task.
   *
   * @param id of the task in the queue: its own, or that of the one that holds its key
   */
  public record Landed(UUID id, Landing landing) {}

  /** A key that others take and let go all the time is given up after so many tries. */
  private static final int MOST_TRIES = 100;

  private static final String OVERTAKEN = "40001";

  private final SqlText keep;
  private final SqlText look;
  private final Map<OnConflict, SqlText> replace = new EnumMap<>(OnConflict.class);
  private final UniqueWindows windows;
  private final InsertTasks plain;

  public InsertUniqueTasks(Schema schema) {
    this.keep = SqlText.of(schema, keep());
    this.look = SqlText.of(schema, look());
    for (OnConflict policy : OnConflict.values())
      if (policy.replaces()) replace.put(policy, SqlText.of(schema, replace(policy)));
    this.windows = new UniqueWindows(schema);
    this.plain = new InsertTasks(schema);
  }

  private static Query keep() {
    var columns = new Columns("n");
    List<Field<?>> into = new ArrayList<>(InsertTasks.TIMED);
    into.addAll(List.of(TASK.UNIQUE_KEY, TASK.UNIQUE_HOLD));
    var key = columns.column("unique_key", "uniqueKeys", SQLDataType.CLOB);
    var hold = columns.column("unique_hold", "uniqueHolds", SQLDataType.BOOLEAN);
    return insertInto(TASK)
        .columns(into)
        .select(InsertTasks.timedFrom(columns, noCondition(), key, hold))
        .onConflictDoNothing()
        .returningResult(TASK.ID);
  }

  /** Who is there instead: the task itself, else the one that waits, else the one that holds. */
  private static Query look() {
    var columns = new Columns("n");
    var id = columns.column("id", "ids", SQLDataType.UUID);
    var queue = columns.column("queue", "queues", SQLDataType.CLOB);
    var key = columns.column("unique_key", "uniqueKeys", SQLDataType.CLOB);
    Condition same = TASK.QUEUE.eq(queue).and(TASK.UNIQUE_KEY.eq(key));
    return select(
            id,
            coalesce(
                one(TASK.QUEUE.eq(queue).and(TASK.ID.eq(id))),
                one(same.and(TASK.ATTEMPT.eq(inline(0)))),
                one(same.and(TASK.UNIQUE_HOLD))))
        .from(columns.rows());
  }

  private static Field<UUID> one(Condition which) {
    return field(select(TASK.ID).from(TASK).where(which).limit(inline(1)));
  }

  private static Query replace(OnConflict policy) {
    var columns = new Columns("n");
    List<Field<?>> into = new ArrayList<>(InsertTasks.TIMED);
    into.add(TASK.UNIQUE_KEY);
    var key = columns.column("unique_key", "uniqueKeys", SQLDataType.CLOB);
    // The index of waiting keys says nothing of a task of this id that has been claimed.
    Condition isSame =
        TASK.QUEUE
            .eq(field(name("n", "queue"), SQLDataType.CLOB))
            .and(TASK.ID.eq(field(name("n", "id"), SQLDataType.UUID)));
    // Looked for row by row: a join might read all of task, and would lose the order of the keys.
    Condition isNew = one(isSame).isNull();
    Map<Field<?>, Field<?>> changes = new LinkedHashMap<>();
    if (policy != OnConflict.POSTPONE)
      for (Field<?> content : List.of(TASK.KIND, TASK.PAYLOAD, TASK.HEADERS))
        changes.put(content, excluded(content));
    if (policy != OnConflict.REPLACE_PAYLOAD) {
      Condition becomesReady =
          TASK.STATUS.eq(inline(SCHEDULED)).and(excluded(TASK.STATUS).eq(inline(PENDING)));
      changes.put(TASK.RUN_AT, excluded(TASK.RUN_AT));
      changes.put(
          TASK.STATUS,
          when(TASK.STATUS.eq(inline(BLOCKED)), TASK.STATUS).otherwise(excluded(TASK.STATUS)));
      changes.put(
          TASK.POSITION, when(becomesReady, excluded(TASK.POSITION)).otherwise(TASK.POSITION));
    }
    return insertInto(TASK)
        .columns(into)
        .select(InsertTasks.timedFrom(columns, isNew, key))
        .onConflict(TASK.UNIQUE_KEY, TASK.QUEUE)
        .where(TASK.UNIQUE_KEY.isNotNull().and(TASK.ATTEMPT.eq(inline(0))))
        .doUpdate()
        .set(changes)
        .returningResult(TASK.ID, TASK.QUEUE, TASK.UNIQUE_KEY);
  }

  /**
   * Inserts in the transaction of {@code connection}. A single row without a window may go in on
   * one that commits by itself; several are all or none in a transaction only.
   *
   * @param rows all unique, their keys worked out; of two with one key the one that comes first
   *     lands first
   * @return what became of each, by its id
   * @throws SQLException of state 40001 if others took and let go a key all the time, or if the
   *     transaction is a stricter one than READ COMMITTED and a key is held by what it cannot see;
   *     of state {@link Replication#UNKNOWN} as {@link InsertTasks#insert}
   */
  public Map<UUID, Landed> insert(Connection connection, List<InsertTasks.Row> rows)
      throws SQLException {
    List<List<InsertTasks.Row>> runs = runs(rows);
    boolean isAlone = rows.size() == 1;
    if (!isAlone) execute(connection, "savepoint dibs_unique");
    for (int tries = 1; tries <= MOST_TRIES; tries++) {
      Map<UUID, Landed> landed = new HashMap<>();
      if (settleAll(connection, runs, landed)) {
        if (!isAlone) execute(connection, "release savepoint dibs_unique");
        return landed;
      }
      // A key changed hands. To take it now, with the keys behind it in hand, would be crosswise.
      if (!isAlone) execute(connection, "rollback to savepoint dibs_unique");
    }
    throw new SQLException(
        "a unique key changed hands %d times meanwhile".formatted(MOST_TRIES), OVERTAKEN);
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (var statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /**
   * Rows in the order of their keys, cut where a key comes again or something else is asked for.
   */
  private static List<List<InsertTasks.Row>> runs(List<InsertTasks.Row> rows) {
    List<InsertTasks.Row> ordered =
        rows.stream()
            .sorted(
                Comparator.comparing((InsertTasks.Row row) -> row.options().queue())
                    .thenComparing(InsertUniqueTasks::key))
            .toList();
    List<List<InsertTasks.Row>> runs = new ArrayList<>();
    InsertTasks.@Nullable Row before = null;
    for (InsertTasks.Row row : ordered) {
      if (before == null || slot(row).equals(slot(before)) || !isAlike(row, before))
        runs.add(new ArrayList<>());
      runs.getLast().add(row);
      before = row;
    }
    return runs;
  }

  private static boolean isAlike(InsertTasks.Row row, InsertTasks.Row other) {
    OnConflict policy = unique(row).onConflict();
    OnConflict before = unique(other).onConflict();
    return policy == before || (!policy.replaces() && !before.replaces());
  }

  /** What two tasks are one by. */
  private record Slot(String queue, String key) {}

  private static Slot slot(InsertTasks.Row row) {
    return new Slot(row.options().queue(), key(row));
  }

  private static Unique unique(InsertTasks.Row row) {
    return row.options().unique().orElseThrow();
  }

  private static String key(InsertTasks.Row row) {
    return unique(row).givenKey();
  }

  /** Answers false, and leaves off, where a key changed hands. */
  private boolean settleAll(
      Connection connection, List<List<InsertTasks.Row>> runs, Map<UUID, Landed> landed)
      throws SQLException {
    Map<Slot, UUID> holders = new HashMap<>();
    for (List<InsertTasks.Row> run : runs) {
      InsertTasks.Row first = run.getFirst();
      @Nullable UUID holder = holders.get(slot(first));
      if (unique(first).onConflict().replaces()) {
        replace(connection, run, landed);
      } else if (holder != null) {
        // Its key is held by one that came before it in this very call.
        landed.putIfAbsent(first.id(), kept(first, holder));
        run = run.subList(1, run.size());
        if (!run.isEmpty() && !keep(connection, run, landed)) return false;
      } else if (!keep(connection, run, landed)) {
        return false;
      }
      for (InsertTasks.Row row : run) {
        @Nullable Landed there = landed.get(row.id());
        if (there != null) holders.put(slot(row), there.id());
      }
    }
    return true;
  }

  /** Answers false where a key changed hands. */
  private boolean keep(Connection connection, List<InsertTasks.Row> rows, Map<UUID, Landed> landed)
      throws SQLException {
    var arrays = new Arrays(connection);
    Map<String, @Nullable Object> values = values(connection, rows);
    values.put(
        "uniqueHolds", arrays.of("bool", Boolean[]::new, rows, row -> unique(row).holdsToTheEnd()));
    Set<UUID> inserted = new HashSet<>();
    try (var statement = keep.prepare(connection, values);
        var answer = statement.executeQuery()) {
      while (answer.next()) inserted.add(answer.getObject(1, UUID.class));
      Replication.check(statement.getWarnings());
    }
    List<InsertTasks.Row> out = new ArrayList<>();
    List<InsertTasks.Row> windowed = new ArrayList<>();
    for (InsertTasks.Row row : rows) {
      if (!inserted.contains(row.id())) out.add(row);
      else if (unique(row).scope() instanceof UniqueScope.Window) windowed.add(row);
      else landed.put(row.id(), new Landed(row.id(), Landing.INSERTED));
    }
    return openWindows(connection, windowed, landed)
        && told(out, out.isEmpty() ? Map.of() : look(connection, out), landed);
  }

  /** What was inserted stays only if no window of its key is open: nobody has seen it yet. */
  private boolean openWindows(
      Connection connection, List<InsertTasks.Row> rows, Map<UUID, Landed> landed)
      throws SQLException {
    if (rows.isEmpty()) return true;
    Set<UUID> opened = windows.open(connection, rows);
    List<InsertTasks.Row> shut = new ArrayList<>();
    for (InsertTasks.Row row : rows) {
      if (opened.contains(row.id())) landed.put(row.id(), new Landed(row.id(), Landing.INSERTED));
      else shut.add(row);
    }
    if (shut.isEmpty()) return true;
    Set<UUID> ids = new HashSet<>();
    for (InsertTasks.Row row : shut) ids.add(row.id());
    plain.withdraw(connection, ids);
    return told(shut, windows.openers(connection, shut), landed);
  }

  /** Answers false where one of the rows that were kept out meets nobody any more. */
  private static boolean told(
      List<InsertTasks.Row> rows, Map<UUID, UUID> holders, Map<UUID, Landed> landed) {
    for (InsertTasks.Row row : rows) {
      @Nullable UUID holder = holders.get(row.id());
      if (holder == null) return false;
      landed.putIfAbsent(row.id(), kept(row, holder));
    }
    return true;
  }

  private static Landed kept(InsertTasks.Row row, UUID holder) {
    if (holder.equals(row.id())) return new Landed(holder, Landing.ALREADY_THERE);
    boolean rejects = unique(row).onConflict() == OnConflict.REJECT;
    return new Landed(holder, rejects ? Landing.REJECTED : Landing.KEPT);
  }

  private Map<UUID, UUID> look(Connection connection, List<InsertTasks.Row> rows)
      throws SQLException {
    var arrays = new Arrays(connection);
    Map<String, Object> values =
        Map.of(
            "ids", arrays.uuid(rows, InsertTasks.Row::id),
            "queues", arrays.text(rows, row -> row.options().queue()),
            "uniqueKeys", arrays.text(rows, InsertUniqueTasks::key));
    Map<UUID, UUID> holders = new HashMap<>();
    try (var statement = look.prepare(connection, values);
        var found = statement.executeQuery()) {
      while (found.next()) {
        @Nullable UUID holder = found.getObject(2, UUID.class);
        if (holder != null) holders.put(found.getObject(1, UUID.class), holder);
      }
    }
    return holders;
  }

  private void replace(Connection connection, List<InsertTasks.Row> rows, Map<UUID, Landed> landed)
      throws SQLException {
    OnConflict policy = unique(rows.getFirst()).onConflict();
    SqlText text = replace.get(policy);
    if (text == null) throw new IllegalArgumentException(policy + " changes nothing");
    Map<Slot, UUID> waiting = new HashMap<>();
    try (var statement = text.prepare(connection, values(connection, rows));
        var answer = statement.executeQuery()) {
      while (answer.next())
        waiting.put(
            new Slot(answer.getString(2), answer.getString(3)), answer.getObject(1, UUID.class));
      Replication.check(statement.getWarnings());
    }
    var changed = policy == OnConflict.POSTPONE ? Landing.POSTPONED : Landing.REPLACED;
    for (InsertTasks.Row row : rows) {
      @Nullable UUID there = waiting.get(slot(row));
      if (there == null) landed.putIfAbsent(row.id(), new Landed(row.id(), Landing.ALREADY_THERE));
      else if (there.equals(row.id())) landed.put(row.id(), new Landed(there, Landing.INSERTED));
      else landed.put(row.id(), new Landed(there, changed));
    }
  }

  private static Map<String, @Nullable Object> values(
      Connection connection, List<InsertTasks.Row> rows) throws SQLException {
    Map<String, @Nullable Object> values = InsertTasks.timedValues(connection, rows);
    values.put("uniqueKeys", new Arrays(connection).text(rows, InsertUniqueTasks::key));
    return values;
  }

  /** The statements, for those who review them. */
  Map<String, SqlText> texts() {
    Map<String, SqlText> texts = new HashMap<>();
    texts.put("insert-unique", keep);
    texts.put("unique-look", look);
    replace.forEach((policy, text) -> texts.put("unique-" + policy.text(), text));
    return texts;
  }
}
