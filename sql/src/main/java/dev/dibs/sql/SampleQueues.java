package dev.dibs.sql;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Measures queues for people who watch, as often as they like: no count goes beyond {@link #MOST},
 * and no table is walked.
 *
 * <p>Index: task_lane, task_held, task_due, task_blocked, task_history_queue, task_history_dead.
 * Locks nothing. Four statements a sample; at most {@link #MOST_OF_LANE} index entries for each
 * queue and priority. Thread-safe.
 */
public final class SampleQueues {
  /** A count that is this is this or more. */
  public static final int MOST = 10_001;

  /** The same of one lane: two hundred queues have eight hundred of them. */
  public static final int MOST_OF_LANE = 1_001;

  /** What ended is counted over this time, to make a rate of it. */
  public static final Duration RECENT = Duration.ofSeconds(10);

  /**
   * What waits in a lane.
   *
   * @param waiting stopped at {@link #MOST_OF_LANE}
   * @param oldest how long its first task has been due
   */
  public record Lane(String queue, int priority, int waiting, Optional<Duration> oldest) {}

  /**
   * What became of a queue's tasks.
   *
   * @param ended within {@link #RECENT}
   * @param dead within a day
   */
  public record Ended(int ended, int dead) {}

  /**
   * The whole.
   *
   * @param scheduled stopped at {@link #MOST}, as are the two below
   * @param estimates by index, where the counts stopped: what the planner believes; empty for what
   *     it does not know
   */
  public record Whole(
      Instant now,
      boolean isReplica,
      int scheduled,
      int blocked,
      Map<String, Long> estimates,
      Counters counters) {}

  /**
   * The server's own counters; they only grow, until its statistics are reset.
   *
   * @param inserted how many tasks were ever enqueued
   * @param finished how many went into the history
   */
  public record Counters(long inserted, long finished) {}

  private static final String LANES =
      """
      select q.queue, p.priority,
        (select count(*) from (select from "%1$s".task t where t.status = 'PENDING' and t.queue = q.queue
          and t.priority = p.priority limit 1001) x)::int,
        (select extract(epoch from statement_timestamp() - t.run_at)::float8 from "%1$s".task t
          where t.status = 'PENDING' and t.queue = q.queue and t.priority = p.priority
          order by t.position limit 1)
      from unnest(?::text[]) q(queue), (values (1::smallint), (2::smallint), (3::smallint), (4::smallint)) p(priority)\
      """;

  private static final String ENDED =
      """
      select q.queue,
        (select count(*) from (select from "%1$s".task_history h where h.queue = q.queue
          and h.finished_at > statement_timestamp() - interval '10 seconds' limit 10001) x)::int,
        (select count(*) from (select from "%1$s".task_history h where h.status = 'DEAD' and h.queue = q.queue
          and h.finished_at > statement_timestamp() - interval '24 hours' limit 10001) x)::int
      from unnest(?::text[]) q(queue)\
      """;

  private static final String RUNNING =
      """
      select queue, count(*)::int from (
        select t.queue from "%1$s".task t where t.status = 'PROCESSING' limit 10001) x group by queue\
      """;

  private static final String WHOLE =
      """
      select clock_timestamp(), pg_is_in_recovery(),
        (select count(*) from (select from "%1$s".task t where t.status = 'SCHEDULED' limit 10001) x)::int,
        (select count(*) from (select from "%1$s".task t where t.status = 'BLOCKED' limit 10001) x)::int,
        (select reltuples::bigint from pg_class where oid = to_regclass('"%1$s".task_lane')),
        (select reltuples::bigint from pg_class where oid = to_regclass('"%1$s".task_due')),
        (select reltuples::bigint from pg_class where oid = to_regclass('"%1$s".task_blocked')),
        (select n_tup_ins from pg_stat_user_tables where relid = to_regclass('"%1$s".task')),
        (select coalesce(sum(s.n_tup_ins), 0) from pg_inherits i join pg_stat_user_tables s on s.relid = i.inhrelid
          where i.inhparent = to_regclass('"%1$s".task_history'))::bigint\
      """;

  private final Schema schema;

  public SampleQueues(Schema schema) {
    this.schema = schema;
  }

  private PreparedStatement prepare(Connection connection, String sql) throws SQLException {
    return connection.prepareStatement(sql.formatted(schema.name()));
  }

  private interface Reading<R> {
    R of(ResultSet row) throws SQLException;
  }

  private <R> List<R> ofQueues(
      Connection connection, String sql, List<String> queues, Reading<R> reading)
      throws SQLException {
    Array names = connection.createArrayOf("text", queues.toArray());
    try (var statement = prepare(connection, sql)) {
      statement.setArray(1, names);
      return rows(statement, reading);
    } finally {
      names.free();
    }
  }

  private static <R> List<R> rows(PreparedStatement statement, Reading<R> reading)
      throws SQLException {
    try (var row = statement.executeQuery()) {
      List<R> rows = new ArrayList<>();
      while (row.next()) rows.add(reading.of(row));
      return rows;
    }
  }

  /** The lanes of these queues, empty ones too. */
  public List<Lane> lanes(Connection connection, List<String> queues) throws SQLException {
    return ofQueues(
        connection,
        LANES,
        queues,
        row -> new Lane(row.getString(1), row.getInt(2), row.getInt(3), duration(row, 4)));
  }

  private static Optional<Duration> duration(ResultSet row, int column) throws SQLException {
    double seconds = row.getDouble(column);
    return row.wasNull()
        ? Optional.empty()
        : Optional.of(Duration.ofMillis(Math.max(0, Math.round(seconds * 1e3))));
  }

  private record Of<R>(String queue, R what) {}

  private static <R> Map<String, R> map(List<Of<R>> rows) {
    Map<String, R> map = new HashMap<>();
    for (Of<R> row : rows) map.put(row.queue(), row.what());
    return map;
  }

  /** What ended in these queues. */
  public Map<String, Ended> ended(Connection connection, List<String> queues) throws SQLException {
    return map(
        ofQueues(
            connection,
            ENDED,
            queues,
            row -> new Of<>(row.getString(1), new Ended(row.getInt(2), row.getInt(3)))));
  }

  /** How many tasks of each queue run; queues without any are missing. */
  public Map<String, Integer> running(Connection connection) throws SQLException {
    try (var statement = prepare(connection, RUNNING)) {
      return map(rows(statement, row -> new Of<>(row.getString(1), row.getInt(2))));
    }
  }

  /** All queues together. */
  public Whole whole(Connection connection) throws SQLException {
    try (var statement = prepare(connection, WHOLE)) {
      return rows(
              statement,
              row ->
                  new Whole(
                      row.getObject(1, OffsetDateTime.class).toInstant(),
                      row.getBoolean(2),
                      row.getInt(3),
                      row.getInt(4),
                      Map.of(
                          "PENDING",
                          row.getLong(5),
                          "SCHEDULED",
                          row.getLong(6),
                          "BLOCKED",
                          row.getLong(7)),
                      new Counters(row.getLong(8), row.getLong(9))))
          .getFirst();
    }
  }
}
