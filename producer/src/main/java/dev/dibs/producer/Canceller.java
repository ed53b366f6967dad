package dev.dibs.producer;

import dev.dibs.DatabaseException;
import dev.dibs.TaskStatus;
import dev.dibs.Text;
import dev.dibs.sql.Bell;
import dev.dibs.sql.CancelTask;
import dev.dibs.sql.Schema;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * Calls tasks off, in the caller's transaction or on a connection of its own.
 *
 * <p>A task that waits will not run. A task that runs is CANCELLED at once: its run can write
 * nothing more to it, and its handler is interrupted, within a second where its worker hears
 * notifications, else at the worker's next beat. What the handler did elsewhere stays done. Takes a
 * user who is a member of the worker role. Thread-safe; holds nothing that would have to be closed.
 */
public final class Canceller {
  /** The reason kept with the task is cut after so many characters. */
  private static final int REASON_KEPT = 8 << 10;

  private final DataSource dataSource;
  private final Schema schema;
  private final Surrounding surrounding;
  private final CancelTask cancel;
  private final Bell bell;

  private Canceller(DataSource dataSource, Schema schema) {
    this.dataSource = dataSource;
    this.schema = schema;
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
    String what = "task " + id;
    return surrounding
        .join(failure(what), connection -> cancelOn(connection, id, reason))
        .orElseGet(() -> alone(what, connection -> cancelOn(connection, id, reason)));
  }

  private <R> R alone(String what, Surrounding.Work<R> work) {
    try (Lent lent = Lent.from(dataSource)) {
      Connection connection = lent.connection();
      connection.setAutoCommit(false);
      try {
        R done = work.on(connection);
        connection.commit();
        return done;
      } catch (SQLException | RuntimeException | Error e) {
        undo(connection, e);
        throw e;
      } finally {
        if (!connection.isClosed()) connection.setAutoCommit(true);
      }
    } catch (SQLException e) {
      throw failed(what, e);
    }
  }

  /**
   * Cancels what a unique key of a queue stands for, on a connection of the data source, in a
   * transaction of its own: the task that waits, the one that runs and still holds the key, or
   * both.
   *
   * @return the tasks that were found, and the status each had; none: the key is free
   * @throws DatabaseException as {@link #cancel(UUID, String)}
   */
  public Map<UUID, TaskStatus> cancelUnique(String queue, String key, String reason) {
    String what = uniqueKey(queue, key);
    return surrounding
        .join(failure(what), connection -> cancelUniqueOn(connection, queue, key, reason))
        .orElseGet(() -> alone(what, connection -> cancelUniqueOn(connection, queue, key, reason)));
  }

  private static String uniqueKey(String queue, String key) {
    return "unique key '%s' of queue '%s'".formatted(key, queue);
  }

  /**
   * Cancels what a unique key of a queue stands for, in the transaction of {@code connection}, as
   * {@link #cancel(Connection, UUID, String)}.
   *
   * @return as {@link #cancelUnique(String, String, String)}
   * @throws DatabaseException if the database refused; the transaction is to be rolled back
   */
  public Map<UUID, TaskStatus> cancelUnique(
      Connection connection, String queue, String key, String reason) {
    try {
      return cancelUniqueOn(connection, queue, key, reason);
    } catch (SQLException e) {
      throw failed(uniqueKey(queue, key), e);
    }
  }

  private Map<UUID, TaskStatus> cancelUniqueOn(
      Connection connection, String queue, String key, String reason) throws SQLException {
    Map<UUID, TaskStatus> found = new HashMap<>();
    for (UUID id : asWorker(connection, there -> cancel.holders(there, queue, key)))
      cancelOn(connection, id, reason).ifPresent(status -> found.put(id, status));
    return found;
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
      throw failed("task " + id, e);
    }
  }

  private Optional<TaskStatus> cancelOn(Connection connection, UUID id, String reason)
      throws SQLException {
    String kept = Text.cut(Text.storable(reason), REASON_KEPT);
    Optional<CancelTask.Found> found =
        asWorker(connection, there -> cancel.cancel(there, id, kept));
    if (found.isPresent() && found.get().run().isPresent())
      bell.ringCancelled(connection, found.get().run().get());
    return found.map(CancelTask.Found::status);
  }

  private <R> R asWorker(Connection connection, Surrounding.Work<R> work) throws SQLException {
    return Rights.asWorker(schema, "cancelling", connection, work);
  }

  private static void undo(Connection connection, Throwable reason) {
    try {
      if (!connection.isClosed()) connection.rollback();
    } catch (SQLException e) {
      reason.addSuppressed(e);
    }
  }

  private static DatabaseException failed(String what, SQLException e) {
    return new DatabaseException(failure(what), e);
  }

  private static String failure(String what) {
    return "%s could not be cancelled".formatted(what);
  }
}
