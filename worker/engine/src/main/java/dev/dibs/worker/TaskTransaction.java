package dev.dibs.worker;

import dev.dibs.NewTask;
import dev.dibs.producer.Enqueued;
import dev.dibs.producer.Producer;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.conf.Settings;
import org.jooq.impl.DSL;

/**
 * The transaction in which a handler's writes and its task's completion are one commit.
 *
 * <p>Dibs commits it; the handler cannot. Used by the run's own thread while its work lasts, not
 * after.
 */
public final class TaskTransaction {
  /** As everywhere here: jOOQ would log what is bound. */
  private static final Settings QUIET = new Settings().withExecuteLogging(false);

  private final Connection connection;
  private final Producer producer;
  private final List<NewTask<?>> enqueued = new ArrayList<>();

  TaskTransaction(Connection connection, Producer producer) {
    this.connection = GuardedConnection.around(connection);
    this.producer = producer;
  }

  /** The connection; commit, rollback, close and auto-commit are refused, savepoints are fine. */
  public Connection connection() {
    return connection;
  }

  /** jOOQ on that connection. */
  public DSLContext dsl() {
    return DSL.using(connection, SQLDialect.POSTGRES, QUIET);
  }

  /** Runs a statement with {@code ?} parameters; answers how many rows it changed. */
  public int execute(String sql, Object... parameters) {
    return dsl().execute(sql, parameters);
  }

  /** Enqueues a task that exists if and only if this transaction commits. */
  public Enqueued enqueue(NewTask<?> task) {
    Enqueued answer = producer.enqueue(connection, task);
    if (answer.inserted()) enqueued.add(task);
    return answer;
  }

  /** What was put in, if this transaction commits. */
  List<NewTask<?>> enqueued() {
    return enqueued;
  }
}
