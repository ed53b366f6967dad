package dev.dibs.producer;

import dev.dibs.DatabaseException;
import dev.dibs.TaskStatus;
import dev.dibs.Text;
import dev.dibs.sql.Bell;
import dev.dibs.sql.CancelTask;
import dev.dibs.sql.Schema;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * Calls tasks off, in the caller's transaction or on a connection of its own.
 *
 * <p>A task that waits will not run. A task that runs is CANCELLED at once: its run can write
 * nothing more to it, and its handler is interrupted, within a second where its worker hears
 * notifications, else at the worker's next beat. What the handler did elsewhere stays done.
 * Thread-safe; holds nothing that would have to be closed.
 */
public final class Canceller {
  /** The reason kept with the task is cut after so many characters. */
  private static final int REASON_KEPT = 8 << 10;

  private final DataSource dataSource;
  private final Surrounding surrounding;
  private final CancelTask cancel;
  private final Bell bell;

  private Canceller(DataSource dataSource, Schema schema) {
    this.dataSource = dataSource;
    this.surrounding = new Surrounding(dataSource);
    this.cancel = new CancelTask(schema);
    this.bell = new Bell(schema);
  }

  /** A canceller for the schema {@code dibs}. */
  public static Canceller on(DataSource dataSource) {
    return on(dataSource, Schema.DEFAULT);
  }

  public static Canceller on(DataSource dataSource, Schema schema) {
    return new Canceller(dataSource, schema);
  }

  /**
   * Cancels a task on a connection of the data source, in a transaction of its own; or in that of
   * Spring's in which the data source takes part, as {@link #cancel(Connection, UUID, String)}.
   *
   * @param reason kept with the task
   * @return the status the task had: if that is {@link TaskStatus#isFinal final}, it had ended
   *     before and was left as it is; else it is CANCELLED now. Empty: there is no such task, or
   *     its history was pruned
   * @throws DatabaseException if the database cannot answer. Repeat the call then: a second
   *     cancellation changes nothing
   */
  public Optional<TaskStatus> cancel(UUID id, String reason) {
    return surrounding
        .join(failure(id), connection -> cancelOn(connection, id, reason))
        .orElseGet(() -> cancelAlone(id, reason));
  }

  private Optional<TaskStatus> cancelAlone(UUID id, String reason) {
    try (Lent lent = Lent.from(dataSource)) {
      Connection connection = lent.connection();
      connection.setAutoCommit(false);
      try {
        Optional<TaskStatus> found = cancelOn(connection, id, reason);
        connection.commit();
        return found;
      } catch (SQLException | RuntimeException | Error e) {
        undo(connection, e);
        throw e;
      } finally {
        if (!connection.isClosed()) connection.setAutoCommit(true);
      }
    } catch (SQLException e) {
      throw failed(id, e);
    }
  }

  /**
   * Cancels a task in the transaction of {@code connection}: it is cancelled, and its run told,
   * when the caller commits. Until then the task is locked.
   *
   * @return as {@link #cancel(UUID, String)}
   * @throws DatabaseException if the database refused; the transaction is to be rolled back
   */
  public Optional<TaskStatus> cancel(Connection connection, UUID id, String reason) {
    try {
      return cancelOn(connection, id, reason);
    } catch (SQLException e) {
      throw failed(id, e);
    }
  }

  private Optional<TaskStatus> cancelOn(Connection connection, UUID id, String reason)
      throws SQLException {
    Optional<CancelTask.Found> found =
        cancel.cancel(connection, id, Text.cut(Text.storable(reason), REASON_KEPT));
    if (found.isPresent() && found.get().run().isPresent())
      bell.ringCancelled(connection, found.get().run().get());
    return found.map(CancelTask.Found::status);
  }

  private static void undo(Connection connection, Throwable reason) {
    try {
      if (!connection.isClosed()) connection.rollback();
    } catch (SQLException e) {
      reason.addSuppressed(e);
    }
  }

  private static DatabaseException failed(UUID id, SQLException e) {
    return new DatabaseException(failure(id), e);
  }

  private static String failure(UUID id) {
    return "task %s could not be cancelled".formatted(id);
  }
}
