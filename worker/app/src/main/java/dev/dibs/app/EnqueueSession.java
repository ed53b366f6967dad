package dev.dibs.app;

import dev.dibs.DatabaseException;
import dev.dibs.Json;
import dev.dibs.NewTask;
import dev.dibs.producer.Producer;
import dev.dibs.producer.ProducerSettings;
import dev.dibs.sql.Migrations;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;

/**
 * A connection with an open transaction that tasks go into, and what it takes around it. Owned by
 * one thread.
 */
final class EnqueueSession implements AutoCloseable {
  private static final Duration LONGEST_STATEMENT = Duration.ofMinutes(1);

  private final Connection connection;
  private final Producer producer;
  private final LiveWorkers workers;
  private final Receipts receipts;

  private EnqueueSession(
      Connection connection, Producer producer, LiveWorkers workers, Receipts receipts) {
    this.connection = connection;
    this.producer = producer;
    this.workers = workers;
    this.receipts = receipts;
  }

  /** Connects, and refuses a schema that this build cannot work with. */
  static EnqueueSession open(Database database, Receipts receipts, boolean anyKind, Shell shell)
      throws SQLException {
    var source = database.plain(LONGEST_STATEMENT);
    Connection connection = source.getConnection();
    try {
      Migrations.check(connection, database.schema());
      var workers = LiveWorkers.read(connection, database.schema(), anyKind, shell);
      connection.setAutoCommit(false);
      var producer = Producer.on(source, ProducerSettings.DEFAULT.withSchema(database.schema()));
      return new EnqueueSession(connection, producer, workers, receipts);
    } catch (SQLException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  /** Enqueues in the open transaction. */
  void enqueue(List<NewTask<Json>> tasks) {
    receipts.add(producer.enqueue(connection, tasks));
  }

  /** Refuses a kind that none of the live workers knows, and minds the queue. */
  void check(NewTask<Json> task) {
    workers.check(task);
  }

  void commit() {
    try {
      connection.commit();
    } catch (SQLException e) {
      throw new DatabaseException(
          "the commit was not answered, the tasks may be there or not; see `dibs status`", e);
    }
    receipts.committed();
    workers.sayWhoIsMissing();
  }

  /** Rolls back what was not committed. */
  @Override
  public void close() throws SQLException {
    producer.close();
    connection.close();
  }
}
