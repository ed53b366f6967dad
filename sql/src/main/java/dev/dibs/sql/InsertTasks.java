package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.TASK;
import static dev.dibs.sql.schema.enums.TaskStatus.PENDING;
import static dev.dibs.sql.schema.enums.TaskStatus.SCHEDULED;
import static org.jooq.impl.DSL.any;
import static org.jooq.impl.DSL.deleteFrom;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.greatest;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.insertInto;
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
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jooq.impl.SQLDataType;
import org.jspecify.annotations.Nullable;

/**
 * Inserts tasks, any number in one statement. A task whose id is there already is left as it is.
 *
 * <p>Index: all of task. Locks: the new rows, in the order of their ids. One statement per call.
 * Thread-safe.
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

  private final SqlText text;
  private final SqlText one;
  private final SqlText withdraw;

  public InsertTasks(Schema schema) {
    this.one = one(schema);
    this.withdraw =
        SqlText.of(
            schema,
            deleteFrom(TASK)
                .where(TASK.ID.eq(any(param("ids", SQLDataType.UUID.getArrayDataType())))));
    var columns = new Columns("n");
    var id = columns.column("id", "ids", SQLDataType.UUID);
    var queue = columns.column("queue", "queues", SQLDataType.CLOB);
    var kind = columns.column("kind", "kinds", SQLDataType.CLOB);
    var priority = columns.column("priority", "priorities", SQLDataType.SMALLINT);
    var delay = columns.column("delay", "delays", SQLDataType.BIGINT);
    var at = columns.column("run_at", "runAts", SQLDataType.TIMESTAMPWITHTIMEZONE);
    var maxAttempts = columns.column("max_attempts", "maxAttempts", SQLDataType.INTEGER);
    var timeout = columns.column("timeout", "timeouts", SQLDataType.BIGINT);
    var payload = columns.column("payload", "payloads", SQLDataType.CLOB);
    var headers = columns.column("headers", "headers", SQLDataType.CLOB);
    var runAt = Time.now().add(Time.micros(delay));
    var due = greatest(org.jooq.impl.DSL.coalesce(at, runAt), Time.now());
    this.text =
        SqlText.of(
            schema,
            insertInto(TASK)
                .columns(
                    TASK.ID,
                    TASK.QUEUE,
                    TASK.KIND,
                    TASK.PRIORITY,
                    TASK.STATUS,
                    TASK.RUN_AT,
                    TASK.MAX_ATTEMPTS,
                    TASK.TIMEOUT,
                    TASK.PAYLOAD,
                    TASK.HEADERS)
                .select(
                    select(
                            id,
                            queue,
                            kind,
                            priority,
                            when(due.gt(Time.now()), inline(SCHEDULED)).otherwise(inline(PENDING)),
                            due,
                            maxAttempts,
                            field("{0}", SQLDataType.INTERVAL, Time.micros(timeout)),
                            payload.cast(SQLDataType.JSONB),
                            headers.cast(SQLDataType.JSONB))
                        .from(columns.rows()))
                .onConflict(TASK.ID, TASK.QUEUE)
                .doNothing()
                .returningResult(TASK.ID));
  }

  /**
   * One task that is ready at once, the commonest: plain values cost the server less than arrays.
   */
  private static SqlText one(Schema schema) {
    return SqlText.of(
        schema,
        insertInto(TASK)
            .set(TASK.ID, param("id", SQLDataType.UUID))
            .set(TASK.QUEUE, param("queue", SQLDataType.CLOB))
            .set(TASK.KIND, param("kind", SQLDataType.CLOB))
            .set(TASK.PRIORITY, param("priority", SQLDataType.SMALLINT))
            .set(TASK.MAX_ATTEMPTS, param("maxAttempts", SQLDataType.INTEGER))
            .set(TASK.PAYLOAD, param("payload", SQLDataType.CLOB).cast(SQLDataType.JSONB))
            .set(TASK.HEADERS, param("headers", SQLDataType.CLOB).cast(SQLDataType.JSONB))
            .onConflict(TASK.ID, TASK.QUEUE)
            .doNothing());
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
    if (rows.size() == 1 && isPlain(rows.getFirst())) return insertOne(connection, rows.getFirst());
    List<Row> ordered = rows.stream().sorted(Comparator.comparing(Row::id)).toList();
    try (var statement = text.prepare(connection, values(connection, ordered));
        ResultSet inserted = statement.executeQuery()) {
      Set<UUID> ids = new HashSet<>();
      while (inserted.next()) ids.add(inserted.getObject(1, UUID.class));
      Replication.check(statement.getWarnings());
      return ids;
    }
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

  private static boolean isPlain(Row row) {
    return row.options().due() instanceof Due.Now && row.options().timeout().isEmpty();
  }

  private Set<UUID> insertOne(Connection connection, Row row) throws SQLException {
    Map<String, @Nullable Object> values = new HashMap<>();
    values.put("id", row.id());
    values.put("queue", row.options().queue());
    values.put("kind", row.kind());
    values.put("priority", row.options().priority().level());
    values.put("maxAttempts", row.options().maxAttempts());
    values.put("payload", row.payload());
    values.put("headers", row.headers());
    try (var statement = one.prepare(connection, values)) {
      int inserted = statement.executeUpdate();
      Replication.check(statement.getWarnings());
      return inserted == 1 ? Set.of(row.id()) : Set.of();
    }
  }

  private static Map<String, @Nullable Object> values(Connection connection, List<Row> rows)
      throws SQLException {
    var arrays = new Arrays(connection);
    Map<String, @Nullable Object> values = new HashMap<>();
    values.put("ids", arrays.uuid(rows, Row::id));
    values.put("queues", arrays.text(rows, row -> row.options().queue()));
    values.put("kinds", arrays.text(rows, Row::kind));
    values.put("priorities", arrays.int2(rows, row -> row.options().priority().level()));
    values.put("delays", arrays.int8(rows, row -> delay(row.options().due())));
    values.put(
        "runAts",
        arrays.of("timestamptz", OffsetDateTime[]::new, rows, row -> instant(row.options().due())));
    values.put("maxAttempts", arrays.int4(rows, row -> row.options().maxAttempts()));
    values.put(
        "timeouts",
        arrays.int8(rows, row -> row.options().timeout().map(Time::micros).orElse(null)));
    values.put("payloads", arrays.text(rows, Row::payload));
    values.put("headers", arrays.text(rows, Row::headers));
    return values;
  }

  private static long delay(Due due) {
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

  /** The statement, for those who review it. */
  SqlText text() {
    return text;
  }
}
