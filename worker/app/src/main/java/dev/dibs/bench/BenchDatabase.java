package dev.dibs.bench;

import dev.dibs.DatabaseException;
import dev.dibs.sql.Migrations;
import dev.dibs.sql.Schema;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;

/**
 * A schema of the benchmark's own in the database that is measured; who named it drops it.
 * Thread-safe.
 *
 * <p>What is counted is read back from the database, never believed from the program that is
 * measured.
 */
public final class BenchDatabase implements AutoCloseable {
  static final String QUEUE = "bench";

  /** One statement fills no more, so that an interrupt is heard in between. */
  private static final long LARGEST_FILL = 1_000_000;

  /** So far apart that a hundred ids share a millisecond: the counter of a UUIDv7 has 12 bits. */
  private static final int TICKS_BETWEEN_IDS = 40;

  private static final int COUNTER_BITS = 12;

  private final DataSource dataSource;
  private final DataSource unaided;
  private final Schema schema;

  /** One connection for all our own questions: opening one costs the server more than they do. */
  private final Connection control;

  private long asked;
  private long lastTick;

  /**
   * Creates the schema {@code schema} and migrates it.
   *
   * @param unaided leads there by connections as the driver makes them, for what it is beside
   */
  public BenchDatabase(DataSource dataSource, DataSource unaided, Schema schema) {
    this.dataSource = dataSource;
    this.unaided = unaided;
    this.schema = schema;
    Migrations.migrate(dataSource, schema);
    this.control = connect();
  }

  public DataSource dataSource() {
    return dataSource;
  }

  DataSource unaided() {
    return unaided;
  }

  public Schema schema() {
    return schema;
  }

  Connection connect() {
    try {
      return dataSource.getConnection();
    } catch (SQLException e) {
      throw new DatabaseException("the benchmark cannot connect", e);
    }
  }

  /** Runs a statement in which {@code $} stands for the schema and its dot. */
  synchronized void execute(String sql) {
    try (var statement = control.createStatement()) {
      asked++;
      statement.execute(inSchema(sql));
    } catch (SQLException e) {
      throw new DatabaseException("the benchmark could not run: " + sql, e);
    }
  }

  /** The one number a query answers. */
  synchronized double number(String sql) {
    try (var statement = control.createStatement();
        var rows = statement.executeQuery(inSchema(sql))) {
      asked++;
      rows.next();
      return rows.getDouble(1);
    } catch (SQLException e) {
      throw new DatabaseException("the benchmark could not read: " + sql, e);
    }
  }

  String inSchema(String sql) {
    return sql.replace("$", "\"" + schema.name() + "\".");
  }

  /** Starts over: no task, no history, no dead rows. */
  void reset(boolean history) {
    execute("truncate $task, $task_history, $worker, $queue");
    String retention = history ? "7 days" : "0";
    execute("insert into $queue (name, retention) values ('bench', '" + retention + "')");
    settle();
  }

  /**
   * Lets no claim find anything until {@link #release}. Those that began before it have ended:
   * whoever still sees the queue as it was has the table locked already, and is waited for.
   */
  void pause() {
    execute("update $queue set paused_at = now()");
    execute("begin; lock table $task in share mode; commit");
  }

  /** Lets all claims begin, and tells those who wait. */
  void release() {
    execute("update $queue set paused_at = null");
    execute("notify \"" + schema.channel() + "\", '" + QUEUE + "'");
  }

  /**
   * Inserts ready no-op tasks with payloads of 100 bytes, by the server itself.
   *
   * <p>Their ids grow with their positions, as those that one producer makes do: scattered ones
   * would touch other pages of the primary key than real tasks ever touch.
   */
  void fill(long tasks) {
    fill(tasks, "'PENDING'", "statement_timestamp()");
  }

  /** Inserts tasks that are due tomorrow. */
  void fillTomorrow(long tasks) {
    fill(tasks, "'SCHEDULED'", "statement_timestamp() + interval '1 day'");
  }

  private void fill(long tasks, String status, String runAt) {
    for (long left = tasks; left > 0; left -= LARGEST_FILL) {
      long count = Math.min(left, LARGEST_FILL);
      execute(
          """
          insert into $task (id, status, run_at, queue, kind, payload)
          select overlay(gen_random_uuid()::text
              placing left(tick, 8) || '-' || substr(tick, 9, 4) || '-7' || right(tick, 3) from 1)::uuid,
            %s, %s, 'bench', 'noop', ('{"n": ' || n || ', "pad": "' || repeat('x', 80) || '"}')::jsonb
          from (select n, lpad(to_hex(%d + n * %d), 15, '0') as tick from generate_series(1, %d) as n) as numbered\
          """
              .formatted(status, runAt, ticks(count), TICKS_BETWEEN_IDS, count));
    }
    settle();
  }

  /** Where the ids of so many tasks begin: they end about now, but never before earlier ones. */
  private synchronized long ticks(long count) {
    long span = count * TICKS_BETWEEN_IDS;
    long first = Math.max(lastTick, (System.currentTimeMillis() << COUNTER_BITS) - span);
    lastTick = first + span;
    return first;
  }

  /** Leaves the server nothing to make up for while the next round runs. */
  private void settle() {
    execute("vacuum analyze $task");
    if (number("select pg_has_role('pg_checkpoint', 'usage')::int") == 1) execute("checkpoint");
  }

  long tasks() {
    return (long) number("select count(*) from $task");
  }

  /** The write-ahead log's position, in bytes. */
  double wal() {
    return number("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')");
  }

  /**
   * How many transactions have written so far, on the whole server. Exact at once, where the
   * statistics of a session may be ten seconds late.
   */
  double writes() {
    return number("select pg_snapshot_xmax(pg_current_snapshot())::text::bigint");
  }

  /** Transactions of this database so far, read-only ones too, our own questions left out. */
  synchronized double transactions() {
    execute("select pg_stat_force_next_flush()");
    return number(
            "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()")
        - asked;
  }

  @Override
  public void close() {
    try {
      control.close();
    } catch (SQLException e) {
      throw new DatabaseException("the benchmark could not close its connection", e);
    }
  }
}
