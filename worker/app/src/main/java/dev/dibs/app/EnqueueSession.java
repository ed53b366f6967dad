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
  private final KnownKinds kinds;
  private final Receipts receipts;

  private EnqueueSession(
      Connection connection, Producer producer, KnownKinds kinds, Receipts receipts) {
    this.connection = connection;
    this.producer = producer;
    this.kinds = kinds;
    this.receipts = receipts;
  }

  /** Connects, and refuses a schema that this build cannot work with. */
  static EnqueueSession open(Database database, Receipts receipts, boolean anyKind, Shell shell)
      throws SQLException {
    var source = database.plain(LONGEST_STATEMENT);
    Connection connection = source.getConnection();
    try {
      Migrations.check(connection, database.schema());
      var kinds = KnownKinds.read(connection, database.schema(), anyKind, shell);
      connection.setAutoCommit(false);
      var producer = Producer.on(source, ProducerSettings.DEFAULT.withSchema(database.schema()));
      return new EnqueueSession(connection, producer, kinds, receipts);
    } catch (SQLException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  /** Enqueues in the open transaction. */
  void enqueue(List<NewTask<Json>> tasks) {
    receipts.add(producer.enqueue(connection, tasks));
  }

  /** Refuses a kind that none of the live workers knows. */
  void checkKind(NewTask<Json> task) {
    kinds.check(task.kind().name());
  }

  void commit() {
    try {
      connection.commit();
    } catch (SQLException e) {
      throw new DatabaseException(
          "the commit was not answered, the tasks may be there or not; see `dibs status`", e);
    }
    receipts.committed();
    kinds.sayIfNobodyLives();
  }

  /** Rolls back what was not committed. */
  @Override
  public void close() throws SQLException {
    producer.close();
    connection.close();
  }
}
