package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.UNIQUE_WINDOW;
import static org.jooq.impl.DSL.any;
import static org.jooq.impl.DSL.array;
import static org.jooq.impl.DSL.deleteFrom;
import static org.jooq.impl.DSL.excluded;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.insertInto;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.select;

import dev.dibs.DatabaseException;
import dev.dibs.UniqueScope;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jooq.impl.SQLDataType;
import org.jspecify.annotations.Nullable;

/**
 * The rows of unique_window: keys that outlive their tasks.
 *
 * <p>Index: primary key, unique_window_until to forget. Locks: the rows of the keys, in the order
 * they come. Thread-safe.
 */
final class UniqueWindows {
  private static final int MOST_AT_ONCE = 10_000;

  private final SqlText open;
  private final SqlText openers;

  UniqueWindows(Schema schema) {
    this.open = SqlText.of(schema, open());
    this.openers = SqlText.of(schema, openers());
  }

  private static org.jooq.Query open() {
    var columns = new Columns("n");
    var queue = columns.column("queue", "queues", SQLDataType.CLOB);
    var key = columns.column("unique_key", "uniqueKeys", SQLDataType.CLOB);
    var length = columns.column("length", "lengths", SQLDataType.BIGINT);
    var id = columns.column("id", "ids", SQLDataType.UUID);
    return insertInto(UNIQUE_WINDOW)
        .columns(
            UNIQUE_WINDOW.QUEUE,
            UNIQUE_WINDOW.UNIQUE_KEY,
            UNIQUE_WINDOW.UNTIL,
            UNIQUE_WINDOW.TASK_ID)
        .select(select(queue, key, Time.clock().add(Time.micros(length)), id).from(columns.rows()))
        .onConflict(UNIQUE_WINDOW.QUEUE, UNIQUE_WINDOW.UNIQUE_KEY)
        .doUpdate()
        .set(UNIQUE_WINDOW.UNTIL, excluded(UNIQUE_WINDOW.UNTIL))
        .set(UNIQUE_WINDOW.TASK_ID, excluded(UNIQUE_WINDOW.TASK_ID))
        .where(UNIQUE_WINDOW.UNTIL.le(Time.clock()))
        .returningResult(UNIQUE_WINDOW.TASK_ID);
  }

  private static org.jooq.Query openers() {
    var columns = new Columns("n");
    var id = columns.column("id", "ids", SQLDataType.UUID);
    var queue = columns.column("queue", "queues", SQLDataType.CLOB);
    var key = columns.column("unique_key", "uniqueKeys", SQLDataType.CLOB);
    return select(id, UNIQUE_WINDOW.TASK_ID)
        .from(columns.rows())
        .join(UNIQUE_WINDOW)
        .on(UNIQUE_WINDOW.QUEUE.eq(queue))
        .and(UNIQUE_WINDOW.UNIQUE_KEY.eq(key));
  }

  /** Opens windows where none is open; answers the ids of the tasks that did. */
  Set<UUID> open(Connection connection, List<InsertTasks.Row> rows) throws SQLException {
    Map<String, @Nullable Object> values = values(connection, rows);
    values.put(
        "lengths", new Arrays(connection).int8(rows, row -> Time.micros(window(row).length())));
    try (var statement = open.prepare(connection, values);
        var opened = statement.executeQuery()) {
      Set<UUID> ids = new HashSet<>();
      while (opened.next()) ids.add(opened.getObject(1, UUID.class));
      return ids;
    }
  }

  /** Whose tasks opened the windows that keep these out, by the ids of these. */
  Map<UUID, UUID> openers(Connection connection, List<InsertTasks.Row> rows) throws SQLException {
    try (var statement = openers.prepare(connection, values(connection, rows));
        var found = statement.executeQuery()) {
      Map<UUID, UUID> ids = new HashMap<>();
      while (found.next()) ids.put(found.getObject(1, UUID.class), found.getObject(2, UUID.class));
      return ids;
    }
  }

  private static Map<String, @Nullable Object> values(
      Connection connection, List<InsertTasks.Row> rows) throws SQLException {
    var arrays = new Arrays(connection);
    Map<String, @Nullable Object> values = new HashMap<>();
    values.put("ids", arrays.uuid(rows, InsertTasks.Row::id));
    values.put("queues", arrays.text(rows, row -> row.options().queue()));
    values.put("uniqueKeys", arrays.text(rows, UniqueWindows::key));
    return values;
  }

  private static UniqueScope.Window window(InsertTasks.Row row) {
    return (UniqueScope.Window) row.options().unique().orElseThrow().scope();
  }

  private static String key(InsertTasks.Row row) {
    return row.options().unique().orElseThrow().givenKey();
  }

  /**
   * Forgets the windows that are over, the oldest first; answers how many. Those whose keys
   * somebody is enqueuing under are skipped: his transaction may last, and may wait for another of
   * them.
   */
  static int forget(Schema schema, Connection connection) {
    SqlText forgetting = forgetting(schema);
    int forgotten = 0;
    while (true) {
      int some = forgetSome(forgetting, connection);
      forgotten += some;
      if (some < MOST_AT_ONCE) return forgotten;
    }
  }

  /** By the time of the statement: an index is not searched by a clock that runs meanwhile. */
  static SqlText forgetting(Schema schema) {
    var place = field(name("ctid"), Object.class);
    var over =
        select(place)
            .from(UNIQUE_WINDOW)
            .where(UNIQUE_WINDOW.UNTIL.le(Time.now()))
            .orderBy(UNIQUE_WINDOW.UNTIL)
            .limit(inline(MOST_AT_ONCE))
            .forUpdate()
            .skipLocked();
    return SqlText.of(schema, deleteFrom(UNIQUE_WINDOW).where(place.eq(any(array(over)))));
  }

  private static int forgetSome(SqlText forgetting, Connection connection) {
    try (var statement = forgetting.prepare(connection, Map.of())) {
      return statement.executeUpdate();
    } catch (SQLException e) {
      throw new DatabaseException("unique keys whose windows are over could not be forgotten", e);
    }
  }
}
