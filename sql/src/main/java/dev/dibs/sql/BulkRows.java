package dev.dibs.sql;

import static dev.dibs.sql.schema.Tables.BULK;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.noCondition;
import static org.jooq.impl.DSL.row;
import static org.jooq.impl.DSL.val;

import dev.dibs.BulkOrder;
import dev.dibs.BulkRow;
import dev.dibs.Codec;
import dev.dibs.Request;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import org.jooq.Condition;
import org.jooq.JSONB;
import org.jooq.Record;
import org.jspecify.annotations.Nullable;

/**
 * Bulks: what is to be changed, and the batches that change it.
 *
 * <p>All of it is functions of the database (V006), so whoever may call them needs no right to the
 * tables, and what is done and what is kept of it are one transaction. Connections must be in
 * auto-commit. Index: a walk along that of the status, and the primary keys of what it chose.
 * Locks: the bulk's row, and a batch's tasks, skipping what others have locked; those who wait for
 * another lock give up after a second. One statement a batch of at most 500 tasks. Thread-safe.
 */
public final class BulkRows {
  /**
   * What came of a request.
   *
   * @param result done, refused, stale or missing
   * @param driver what a batch needs to be done; of a request that was done now
   * @param message why not
   */
  public record Answer(String result, Optional<UUID> driver, String message) {}

  /** The first tasks of a filter, and whether there are no more. */
  public record First(List<UUID> ids, boolean all) {
    public First {
      ids = List.copyOf(ids);
    }
  }

  /**
   * A batch.
   *
   * @param status of the bulk now; LOST: another drives it
   * @param chosen tasks
   * @param changed of them
   * @param looked rows that were looked at for them
   * @param ready queues in which tasks are ready now
   */
  public record Step(String status, int chosen, int changed, int looked, Set<String> ready) {
    public boolean goesOn() {
      return status.equals("RUNNING");
    }
  }

  /** The largest batch. */
  public static final int LARGEST = 500;

  private static final int LOOK = 20_000;

  private final Schema schema;

  public BulkRows(Schema schema) {
    this.schema = schema;
  }

  /** What a preview sees, and what the bulk may touch that begins with it. */
  public String freeze(Connection connection, BulkOrder order) throws SQLException {
    try (var statement =
        call(
            connection,
            "freeze_bulk(?, ?::jsonb, ?::jsonb)",
            order.change().action(),
            BulkText.filter(order),
            BulkText.parameters(order.change()))) {
      return one(statement, row -> row.getString(1));
    }
  }

  /**
   * Finds the first of what a bulk would change, at most {@code most}, looking at no more than
   * {@code look} rows.
   *
   * @throws SQLException of state 57014 if it takes longer than {@code patience}
   */
  public First first(
      Connection connection, BulkOrder order, String frozen, int most, int look, Duration patience)
      throws SQLException {
    try (var statement =
        calls(
            connection,
            "count_bulk(?::jsonb, ?::jsonb, ?, ?)",
            BulkText.filter(order),
            frozen,
            most,
            look)) {
      statement.setQueryTimeout(Math.toIntExact(Math.max(1, patience.toSeconds())));
      return one(
          statement,
          row ->
              new First(
                  List.of((UUID[]) row.getArray("ids").getArray()), row.getBoolean("is_over")));
    }
  }

  /** Begins a bulk. Its id is the request's. */
  public Answer start(
      Connection connection, BulkOrder order, String frozen, OptionalLong expected, Request request)
      throws SQLException {
    try (var statement =
        calls(
            connection,
            "start_bulk(?, ?::jsonb, ?::jsonb, ?::jsonb, ?::bigint, ?, ?, ?, ?, ?)",
            order.change().action(),
            BulkText.filter(order),
            BulkText.parameters(order.change()),
            frozen,
            expected.isPresent() ? expected.getAsLong() : null,
            order.perSecond(),
            request.id(),
            request.actor(),
            request.source(),
            request.why())) {
      return one(statement, BulkRows::driven);
    }
  }

  /** Takes a bulk on that was interrupted, or whose process went away. */
  public Answer resume(Connection connection, UUID bulk, boolean byItself, Request request)
      throws SQLException {
    try (var statement =
        calls(
            connection,
            "resume_bulk(?, ?, ?, ?, ?, ?)",
            bulk,
            byItself,
            request.id(),
            request.actor(),
            request.source(),
            request.why())) {
      return one(statement, BulkRows::driven);
    }
  }

  /** Stops a bulk after the batch that is under way. */
  public Answer interrupt(Connection connection, UUID bulk, Request request) throws SQLException {
    try (var statement =
        calls(
            connection,
            "interrupt_bulk(?, ?, ?, ?, ?)",
            bulk,
            request.id(),
            request.actor(),
            request.source(),
            request.why())) {
      return one(
          statement,
          row -> new Answer(row.getString("result"), Optional.empty(), text(row, "message")));
    }
  }

  private static Answer driven(ResultSet row) throws SQLException {
    return new Answer(
        row.getString("result"),
        Optional.ofNullable(row.getObject("driver", UUID.class)),
        text(row, "message"));
  }

  private static String text(ResultSet row, String column) throws SQLException {
    String text = row.getString(column);
    return text == null ? "" : text;
  }

  /**
   * Does a batch of at most {@code most} tasks.
   *
   * @param refusal with it the tasks are not changed but counted as failed, for that reason
   */
  public Step step(
      Connection connection,
      UUID bulk,
      UUID driver,
      int most,
      Optional<String> refusal,
      Duration patience)
      throws SQLException {
    try (var statement =
        calls(
            connection,
            "step_bulk(?, ?, ?, ?, ?)",
            bulk,
            driver,
            most,
            LOOK,
            refusal.orElse(null))) {
      statement.setQueryTimeout(Math.toIntExact(Math.max(1, patience.toSeconds())));
      return one(
          statement,
          row ->
              new Step(
                  row.getString("status"),
                  row.getInt("chosen"),
                  row.getInt("changed"),
                  row.getInt("looked"),
                  Set.of((String[]) row.getArray("rung").getArray())));
    }
  }

  /** Ends a bulk that cannot go on; false: another drives it. */
  public boolean fail(Connection connection, UUID bulk, UUID driver, String error)
      throws SQLException {
    try (var statement = call(connection, "fail_bulk(?, ?, ?)", bulk, driver, error)) {
      return one(statement, row -> row.getBoolean(1));
    }
  }

  public Optional<BulkRow> find(Connection connection, UUID id) {
    return read(connection, BULK.ID.eq(id), 1).stream().findFirst();
  }

  /** The newest bulks, or those that began before another one. */
  public List<BulkRow> list(Connection connection, Optional<BulkRow> before, int size) {
    Condition older =
        before
            .map(last ->
                row(BULK.STARTED_AT, BULK.ID)
                    .lt(
                        val(last.times().started().atOffset(java.time.ZoneOffset.UTC)),
                        val(last.id())))
            .orElse(noCondition());
    return read(connection, older, size);
  }

  private List<BulkRow> read(Connection connection, Condition which, int size) {
    return schema
        .dsl(connection)
        .select(BULK.fields())
        .select(field(BULK.LEASE_UNTIL.gt(Time.clock())).as("driven"), Time.clock().as("clock"))
        .from(BULK)
        .where(which)
        .orderBy(BULK.STARTED_AT.desc(), BULK.ID.desc())
        .limit(size)
        .fetch(BulkRows::understood);
  }

  private static BulkRow understood(Record row) {
    Long expected = row.get(BULK.EXPECTED);
    return new BulkRow(
        row.get(BULK.ID),
        BulkText.order(
            row.get(BULK.ACTION),
            row.get(BULK.FILTER).data(),
            row.get(BULK.PARAMETERS).data(),
            row.get(BULK.PER_SECOND)),
        Request.kept(
            row.get(BULK.ID), row.get(BULK.ACTOR), row.get(BULK.SOURCE), row.get(BULK.WHY)),
        new BulkRow.Times(
            row.get(BULK.STARTED_AT).toInstant(),
            row.get(BULK.STEPPED_AT).toInstant(),
            Optional.ofNullable(row.get(BULK.ENDED_AT)).map(OffsetDateTime::toInstant),
            row.get("clock", OffsetDateTime.class).toInstant()),
        new BulkRow.State(
            BulkRow.Status.valueOf(row.get(BULK.STATUS)),
            Boolean.TRUE.equals(row.get("driven", Boolean.class))),
        new BulkRow.Progress(
            expected == null ? OptionalLong.empty() : OptionalLong.of(expected),
            row.get(BULK.SEEN),
            row.get(BULK.DONE),
            row.get(BULK.SKIPPED),
            row.get(BULK.FAILED)),
        skips(row.get(BULK.SKIPS)),
        Optional.ofNullable(row.get(BULK.ERROR)));
  }

  private static List<BulkRow.Skip> skips(JSONB json) {
    List<BulkRow.Skip> skips = new ArrayList<>();
    for (Object one : Codec.jackson().decode(json.data(), List.class)) {
      if (one instanceof Map<?, ?> skip)
        skips.add(
            new BulkRow.Skip(
                UUID.fromString(String.valueOf(skip.get("id"))), String.valueOf(skip.get("why"))));
    }
    return skips;
  }

  private interface Reading<T> {
    T of(ResultSet row) throws SQLException;
  }

  private static <T> T one(PreparedStatement statement, Reading<T> reading) throws SQLException {
    try (var rows = statement.executeQuery()) {
      rows.next();
      return reading.of(rows);
    }
  }

  private String quoted() {
    return "\"" + schema.name() + "\"";
  }

  /** A function that answers one value. */
  private PreparedStatement call(Connection connection, String call, @Nullable Object... arguments)
      throws SQLException {
    return prepared(connection, "select " + quoted() + "." + call, arguments);
  }

  /** A function that answers columns. */
  private PreparedStatement calls(Connection connection, String call, @Nullable Object... arguments)
      throws SQLException {
    return prepared(connection, "select * from " + quoted() + "." + call, arguments);
  }

  private static PreparedStatement prepared(
      Connection connection, String sql, @Nullable Object... arguments) throws SQLException {
    PreparedStatement statement = connection.prepareStatement(sql);
    try {
      for (int i = 0; i < arguments.length; i++) statement.setObject(i + 1, arguments[i]);
      return statement;
    } catch (SQLException | RuntimeException e) {
      statement.close();
      throw e;
    }
  }
}
