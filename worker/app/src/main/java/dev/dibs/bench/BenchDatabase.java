package dev.dibs.bench;

import dev.dibs.DatabaseException;
import dev.dibs.sql.Migrations;
import dev.dibs.sql.Schema;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;

/**
 * A schema of the benchmark's own in the database that is measured; it is dropped at the end.
 * Thread-safe.
 *
 * <p>What is counted is read back from the database, never believed from the program that is
 * measured.
 */
public final class BenchDatabase implements AutoCloseable {
  static final String QUEUE = "bench";

  private final DataSource dataSource;
  private final Schema schema;

  /** One connection for all our own questions: opening one costs the server more than they do. */
  private final Connection control;

  private long asked;

  /** Creates the schema {@code schema} and migrates it. */
  public BenchDatabase(DataSource dataSource, Schema schema) {
    this.dataSource = dataSource;
    this.schema = schema;
    Migrations.migrate(dataSource, schema);
    this.control = connect();
  }

  public DataSource dataSource() {
    return dataSource;
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
    execute(
        "insert into $queue (name, retention) values ('"
            + QUEUE
            + "', '"
            + (history ? "7 days" : "0")
            + "')");
    execute("vacuum analyze $task");
    execute("checkpoint");
  }

  /** Inserts ready no-op tasks with payloads of 100 bytes, by the server itself. */
  void fill(long tasks) {
    execute(
        """
        insert into $task (id, queue, kind, payload)
        select gen_random_uuid(), '%s', 'noop', jsonb_build_object('n', n, 'pad', repeat('x', 80))
        from generate_series(1, %d) n order by n\
        """
            .formatted(QUEUE, tasks));
    execute("vacuum analyze $task");
  }

  boolean isDrained() {
    return number("select count(*) from (select from $task limit 1) t") == 0;
  }

  /** The write-ahead log's position, in bytes. */
  double wal() {
    return number("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')");
  }

  /** Commits of this database so far, our own questions left out. */
  synchronized double commits() {
    execute("select pg_stat_force_next_flush()");
    return number("select xact_commit from pg_stat_database where datname = current_database()")
        - asked;
  }

  @Override
  public void close() {
    execute("drop schema if exists \"" + schema.name() + "\" cascade");
    try {
      control.close();
    } catch (SQLException e) {
      throw new DatabaseException("the benchmark could not close its connection", e);
    }
  }
}
