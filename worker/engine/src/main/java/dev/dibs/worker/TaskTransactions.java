package dev.dibs.worker;

import dev.dibs.LeaseLostException;
import dev.dibs.Task;
import dev.dibs.producer.Producer;
import dev.dibs.sql.FinishTask;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Set;
import javax.sql.DataSource;
import org.jooq.exception.DataAccessException;

/**
 * Runs handlers' transactions: their writes, then the completion under the lease, then one commit.
 * Thread-safe.
 */
final class TaskTransactions {
  /** In a strict transaction a lost lease shows as one that was overtaken. */
  private static final Set<String> OVERTAKEN = Set.of("40001", "40P01");

  private final DataSource dataSource;
  private final KnownPool pool;
  private final FinishTask finish;
  private final Producer producer;
  private final WorkerMeters meters;

  TaskTransactions(
      DataSource dataSource, FinishTask finish, Producer producer, WorkerMeters meters) {
    this.dataSource = dataSource;
    this.pool = new KnownPool(dataSource);
    this.finish = finish;
    this.producer = producer;
    this.meters = meters;
  }

  /**
   * Runs {@code work} and commits it together with the completion of the task.
   *
   * @throws LeaseLostException if the run had lost its task; everything was rolled back
   */
  <R> R run(Task.Hold hold, RunningTask.Work<R> work) throws Exception {
    try {
      return runOnce(hold, work);
    } catch (DataAccessException e) {
      SQLException cause = e.getCause(SQLException.class);
      if (cause != null) pool.noticed(cause);
      throw e;
    } catch (SQLException e) {
      pool.noticed(e);
      if (OVERTAKEN.contains(String.valueOf(e.getSQLState())) && isLost(hold, e)) {
        var lost = new LeaseLostException(hold.id(), hold.lease());
        lost.initCause(e);
        throw lost;
      }
      throw e;
    }
  }

  private boolean isLost(Task.Hold hold, SQLException overtaken) {
    try {
      return !isHeld(hold);
    } catch (SQLException e) {
      overtaken.addSuppressed(e);
      return false;
    }
  }

  private <R> R runOnce(Task.Hold hold, RunningTask.Work<R> work) throws Exception {
    try (Connection connection = dataSource.getConnection()) {
      boolean autoCommit = connection.getAutoCommit();
      connection.setAutoCommit(false);
      boolean committed = false;
      try {
        var transaction = new TaskTransaction(connection, producer);
        R result = work.run(transaction);
        if (!finish.finishIfHeld(connection, hold))
          throw new LeaseLostException(hold.id(), hold.lease());
        connection.commit();
        committed = true;
        meters.enqueued(transaction.enqueued());
        return result;
      } finally {
        if (!committed) rollBack(connection);
        if (!connection.isClosed()) connection.setAutoCommit(autoCommit);
      }
    }
  }

  /** A rollback that fails leaves a broken connection, whose transaction the server ends. */
  private static void rollBack(Connection connection) throws SQLException {
    if (!connection.isClosed()) connection.rollback();
  }

  RunningTask.Fence fence(Task.Hold hold) {
    return new RunningTask.Fence(finish.fence(), FinishTask.fenceValues(hold));
  }

  boolean isHeld(Task.Hold hold) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      return finish.isHeld(connection, hold);
    }
  }
}
