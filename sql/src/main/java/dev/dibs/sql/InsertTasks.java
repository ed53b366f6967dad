package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.TASK;
import static dev.dibs.sql.schema.enums.TaskStatus.PENDING;
import static dev.dibs.sql.schema.enums.TaskStatus.SCHEDULED;
import static org.jooq.impl.DSL.any;
import static org.jooq.impl.DSL.coalesce;
import static org.jooq.impl.DSL.deleteFrom;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.greatest;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.insertInto;
import static org.jooq.impl.DSL.noCondition;
import static org.jooq.impl.DSL.param;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.when;

import dev.dibs.Due;
import dev.dibs.TaskOptions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jooq.Condition;
import org.jooq.Field;
import org.jooq.InsertOnDuplicateStep;
import org.jooq.InsertReturningStep;
import org.jooq.Record;
import org.jooq.Select;
import org.jooq.impl.SQLDataType;
import org.jspecify.annotations.Nullable;

/**
 * Inserts tasks that are not unique, any number in one statement. A task whose id is there already
 * is left as it is.
 *
 * <p>Index: all of task. Locks: the new rows, in the order of their ids. One statement per call,
 * two where {@link #insertAlone} finds an id there. Thread-safe.
 */
public final class InsertTasks {
  /** One task to insert: {@code payload} and {@code headers} are JSON. */
  public record Row(
      UUID id, String kind, String payload, @Nullable String headers, TaskOptions options) {
    /** How much of a statement it takes, in chars. */
    public int chars() {
      return payload.length() + (headers == null ? 0 : headers.length());
    }
  }

  private static final String UNIQUE_VIOLATION = "23505";

  private final SqlText one;
  private final SqlText oneNew;
  private final SqlText ready;
  private final SqlText readyNew;
  private final SqlText timed;
  private final SqlText withdraw;

  public InsertTasks(Schema schema) {
    this.oneNew = SqlText.of(schema, one());
    this.one = SqlText.of(schema, unlessThere(one()));
    this.readyNew = SqlText.of(schema, ready());
    this.ready = SqlText.of(schema, unlessThere(ready()).returningResult(TASK.ID));
    this.timed =
        SqlText.of(
            schema,
            unlessThere(
                    insertInto(TASK)
                        .columns(TIMED)
                        .select(timedFrom(new Columns("n"), noCondition())))
                .returningResult(TASK.ID));
    this.withdraw =
        SqlText.of(
            schema,
            deleteFrom(TASK)
                .where(TASK.ID.eq(any(param("ids", SQLDataType.UUID.getArrayDataType())))));
  }

  private static InsertReturningStep<Record> unlessThere(InsertOnDuplicateStep<Record> insert) {
    return insert.onConflict(TASK.ID, TASK.QUEUE).doNothing();
  }

  /**
   * One task that is ready at once, the commonest: plain values cost the server less than arrays.
   */
  private static InsertOnDuplicateStep<Record> one() {
    return insertInto(TASK)
        .set(TASK.ID, param("id", SQLDataType.UUID))
        .set(TASK.QUEUE, param("queue", SQLDataType.CLOB))
        .set(TASK.KIND, param("kind", SQLDataType.CLOB))
        .set(TASK.PRIORITY, param("priority", SQLDataType.SMALLINT))
        .set(TASK.MAX_ATTEMPTS, param("maxAttempts", SQLDataType.INTEGER))
        .set(TASK.PAYLOAD, param("payload", SQLDataType.CLOB).cast(SQLDataType.JSONB))
        .set(TASK.HEADERS, param("headers", SQLDataType.CLOB).cast(SQLDataType.JSONB));
  }

  /** Tasks that are ready at once: what the table's defaults say is not computed. */
  private static InsertOnDuplicateStep<Record> ready() {
    var columns = new Columns("n");
    var id = columns.column("id", "ids", SQLDataType.UUID);
    var queue = columns.column("queue", "queues", SQLDataType.CLOB);
    var kind = columns.column("kind", "kinds", SQLDataType.CLOB);
    var priority = columns.column("priority", "priorities", SQLDataType.SMALLINT);
    var maxAttempts = columns.column("max_attempts", "maxAttempts", SQLDataType.INTEGER);
    var payload = columns.column("payload", "payloads", SQLDataType.CLOB);
    var headers = columns.column("headers", "headers", SQLDataType.CLOB);
    return insertInto(TASK)
        .columns(
            TASK.ID,
            TASK.QUEUE,
            TASK.KIND,
            TASK.PRIORITY,
            TASK.MAX_ATTEMPTS,
            TASK.PAYLOAD,
            TASK.HEADERS)
        .select(
            select(
                    id,
                    queue,
                    kind,
                    priority,
                    maxAttempts,
                    payload.cast(SQLDataType.JSONB),
                    headers.cast(SQLDataType.JSONB))
                .from(columns.rows()));
  }

  /** What is said of tasks that may have a delay, a run time or a timeout. */
  static final List<Field<?>> TIMED =
      List.of(
          TASK.ID,
          TASK.QUEUE,
          TASK.KIND,
          TASK.PRIORITY,
          TASK.STATUS,
          TASK.RUN_AT,
          TASK.MAX_ATTEMPTS,
          TASK.TIMEOUT,
          TASK.PAYLOAD,
          TASK.HEADERS);

  /** The same from arrays, of the rows that {@code which} chooses, and {@code more} of them. */
  static Select<?> timedFrom(Columns columns, Condition which, Field<?>... more) {
    List<Field<?>> from = new ArrayList<>();
    from.add(columns.column("id", "ids", SQLDataType.UUID));
    from.add(columns.column("queue", "queues", SQLDataType.CLOB));
    from.add(columns.column("kind", "kinds", SQLDataType.CLOB));
    from.add(columns.column("priority", "priorities", SQLDataType.SMALLINT));
    var due = due(columns);
    from.add(when(due.gt(Time.now()), inline(SCHEDULED)).otherwise(inline(PENDING)));
    from.add(due);
    from.add(columns.column("max_attempts", "maxAttempts", SQLDataType.INTEGER));
    var timeout = columns.column("timeout", "timeouts", SQLDataType.BIGINT);
    from.add(field("{0}", SQLDataType.INTERVAL, Time.micros(timeout)));
    from.add(columns.column("payload", "payloads", SQLDataType.CLOB).cast(SQLDataType.JSONB));
    from.add(columns.column("headers", "headers", SQLDataType.CLOB).cast(SQLDataType.JSONB));
    from.addAll(List.of(more));
    return select(from).from(columns.rows()).where(which);
  }

  /** When a row may run first: a delay counts from the statement, and the past is now. */
  static Field<OffsetDateTime> due(Columns columns) {
    var delay = columns.column("delay", "delays", SQLDataType.BIGINT);
    var at = columns.column("run_at", "runAts", SQLDataType.TIMESTAMPWITHTIMEZONE);
    return greatest(coalesce(at, Time.now().add(Time.micros(delay))), Time.now());
  }

  /**
   * Inserts in the transaction of {@code connection}, which is neither committed nor rolled back
   * here.
   *
   * @return the ids that were inserted; those missing were there already
   * @throws SQLException of state {@link Replication#UNKNOWN} if it was committed here, and nobody
   *     waited for the standby that was to have it too
   */
  public Set<UUID> insert(Connection connection, List<Row> rows) throws SQLException {
    boolean ready = areReady(rows);
    if (ready && rows.size() == 1) return insertOne(connection, rows.getFirst());
    List<Row> ordered = inOrder(rows);
    var values = ready ? values(connection, ordered) : timedValues(connection, ordered);
    try (var statement = (ready ? this.ready : timed).prepare(connection, values);
        ResultSet inserted = statement.executeQuery()) {
      Set<UUID> ids = new HashSet<>();
      while (inserted.next()) ids.add(inserted.getObject(1, UUID.class));
      Replication.check(statement.getWarnings());
      return ids;
    }
  }

  private Set<UUID> insertOne(Connection connection, Row row) throws SQLException {
    int inserted = execute(one, connection, values(row));
    return inserted == 1 ? Set.of(row.id()) : Set.of();
  }

  /**
   * As {@link #insert}, on a connection that commits by itself and on which no transaction is open:
   * for less of the server, as long as no id is there already. One that is aborts the statement,
   * and so would abort a transaction; all are inserted by another one then.
   */
  public Set<UUID> insertAlone(Connection connection, List<Row> rows) throws SQLException {
    if (!areReady(rows)) return insert(connection, rows);
    try {
      if (rows.size() == 1) execute(oneNew, connection, values(rows.getFirst()));
      else execute(readyNew, connection, values(connection, inOrder(rows)));
    } catch (SQLException e) {
      if (UNIQUE_VIOLATION.equals(e.getSQLState())) return insert(connection, rows);
      throw e;
    }
    Set<UUID> ids = HashSet.newHashSet(rows.size());
    for (Row row : rows) ids.add(row.id());
    return ids;
  }

  private static int execute(
      SqlText text, Connection connection, Map<String, @Nullable Object> values)
      throws SQLException {
    try (var statement = text.prepare(connection, values)) {
      int inserted = statement.executeUpdate();
      Replication.check(statement.getWarnings());
      return inserted;
    }
  }

  /** Two transactions that bring the same ids must not wait for each other crosswise. */
  private static List<Row> inOrder(List<Row> rows) {
    return rows.stream().sorted(Comparator.comparing(Row::id)).toList();
  }

  /**
   * Takes back tasks that the transaction of {@code connection} has inserted itself, so that nobody
   * can have seen them.
   */
  public void withdraw(Connection connection, Set<UUID> ids) throws SQLException {
    if (ids.isEmpty()) return;
    var array = connection.createArrayOf("uuid", ids.toArray());
    try (var statement = withdraw.prepare(connection, Map.of("ids", array))) {
      statement.executeUpdate();
    }
  }

  private static boolean areReady(List<Row> rows) {
    for (Row row : rows) {
      if (!(row.options().due() instanceof Due.Now) || row.options().timeout().isPresent())
        return false;
    }
    return true;
  }

  private static Map<String, @Nullable Object> values(Row row) {
    Map<String, @Nullable Object> values = new HashMap<>();
    values.put("id", row.id());
    values.put("queue", row.options().queue());
    values.put("kind", row.kind());
    values.put("priority", row.options().priority().level());
    values.put("maxAttempts", row.options().maxAttempts());
    values.put("payload", row.payload());
    values.put("headers", row.headers());
    return values;
  }

  private static Map<String, @Nullable Object> values(Connection connection, List<Row> rows)
      throws SQLException {
    var arrays = new Arrays(connection);
    Map<String, @Nullable Object> values = new HashMap<>();
    values.put("ids", arrays.uuid(rows, Row::id));
    values.put("queues", arrays.text(rows, row -> row.options().queue()));
    values.put("kinds", arrays.text(rows, Row::kind));
    values.put("priorities", arrays.int2(rows, row -> row.options().priority().level()));
    values.put("maxAttempts", arrays.int4(rows, row -> row.options().maxAttempts()));
    values.put("payloads", arrays.text(rows, Row::payload));
    values.put("headers", arrays.text(rows, Row::headers));
    return values;
  }

  static Map<String, @Nullable Object> timedValues(Connection connection, List<Row> rows)
      throws SQLException {
    var arrays = new Arrays(connection);
    Map<String, @Nullable Object> values = values(connection, rows);
    values.put("delays", arrays.int8(rows, row -> delay(row.options().due())));
    values.put(
        "runAts",
        arrays.of("timestamptz", OffsetDateTime[]::new, rows, row -> instant(row.options().due())));
    values.put(
        "timeouts",
        arrays.int8(rows, row -> row.options().timeout().map(Time::micros).orElse(null)));
    return values;
  }

  static long delay(Due due) {
    return switch (due) {
      case Due.Now now -> 0L;
      case Due.At at -> 0L;
      case Due.After(var delay) -> Time.micros(delay);
    };
  }

  private static @Nullable OffsetDateTime instant(Due due) {
    return switch (due) {
      case Due.Now now -> null;
      case Due.After after -> null;
      case Due.At(var instant) -> instant.atOffset(ZoneOffset.UTC);
    };
  }

  /** The statement for tasks of which some have a delay, for those who review it. */
  SqlText text() {
    return timed;
  }

  /** The commonest: many that are ready, on a connection that commits by itself; likewise. */
  SqlText newText() {
    return readyNew;
  }
}
