package dev.dibs.producer;

import dev.dibs.NewTask;
import dev.dibs.sql.CopyTasks;
import dev.dibs.sql.InsertTasks;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * The way of tasks into the table: few in one INSERT from arrays, many by COPY; all or none.
 *
 * <p>COPY cannot leave alone what is there already, and knows no delays. So it runs behind a
 * savepoint: when an id or a unique key was there, all are inserted from arrays after all; and
 * tasks with a delay, a run time or a window for their key always are. Payloads are encoded while
 * the rows flow, so that neither side waits for the other and no more than a slice is held in
 * memory. Thread-safe.
 */
final class Inlet {
  /** From so many tasks on COPY is faster. See RATIONALE. */
  static final int COPY_FROM = 1_000;

  /** What one INSERT from arrays takes, when there is more. */
  private static final int SLICE = 1_000;

  private static final int SLICE_CHARS = 4 << 20;

  private static final String UNIQUE_VIOLATION = "23505";
  private static final String FEATURE_NOT_SUPPORTED = "0A000";

  private final TaskEncoder encoder;
  private final FewTasks.Inserts inserts;
  private final CopyTasks copy;

  Inlet(ProducerSettings settings) {
    this.encoder = new TaskEncoder(settings);
    this.inserts = FewTasks.Inserts.of(settings.schema());
    this.copy = new CopyTasks(settings.schema());
  }

  /** Tasks that are ready to go in. */
  interface Load {
    /**
     * Puts the tasks in, in the transaction of {@code connection}; where that commits by itself, in
     * one commit.
     *
     * @return what became of them
     * @throws dev.dibs.PayloadException if a payload of many cannot be kept; the transaction can go
     *     on as if nothing had been sent
     */
    Landings put(Connection connection) throws SQLException;

    /**
     * As {@link #put}, where {@code connection} is ours, commits by itself and has no transaction
     * open that a refused statement could abort.
     */
    default Landings putAlone(Connection connection) throws SQLException {
      return put(connection);
    }
  }

  /**
   * Encodes few tasks now and many only when they go in.
   *
   * @throws dev.dibs.PayloadException if a payload of few cannot be kept
   */
  Load load(List<? extends NewTask<?>> tasks) {
    if (tasks.size() >= COPY_FROM) return connection -> putMany(connection, tasks);
    List<InsertTasks.Row> rows = new ArrayList<>(tasks.size());
    for (NewTask<?> task : tasks) rows.add(encoder.encode(task));
    return new FewTasks(inserts, rows);
  }

  private Landings putMany(Connection connection, List<? extends NewTask<?>> tasks)
      throws SQLException {
    return connection.getAutoCommit()
        ? OneCommit.of(connection, () -> putBehindSavepoint(connection, tasks))
        : putBehindSavepoint(connection, tasks);
  }

  private Landings putBehindSavepoint(Connection connection, List<? extends NewTask<?>> tasks)
      throws SQLException {
    // As text, because connections of a distributed transaction refuse the method.
    OneCommit.execute(connection, "savepoint dibs_enqueue");
    try {
      Landings landings = copyOrInsert(connection, encoder.inOrder(tasks));
      OneCommit.execute(connection, "release savepoint dibs_enqueue");
      return landings;
    } catch (SQLException | RuntimeException | Error e) {
      rollBackToSavepoint(connection, e);
      throw e;
    }
  }

  private static void rollBackToSavepoint(Connection connection, Throwable reason) {
    try {
      OneCommit.execute(connection, "rollback to savepoint dibs_enqueue");
    } catch (SQLException e) {
      reason.addSuppressed(e);
    }
  }

  private Landings copyOrInsert(Connection connection, List<NewTask<?>> tasks) throws SQLException {
    List<NewTask<?>> now = new ArrayList<>(tasks.size());
    List<NewTask<?>> later = new ArrayList<>();
    for (NewTask<?> task : tasks) (CopyTasks.takes(task.options()) ? now : later).add(task);
    if (now.size() < COPY_FROM || !CopyTasks.canCopy(connection))
      return insertInSlices(connection, tasks);
    try {
      copy(connection, now);
    } catch (SQLException e) {
      if (!isForArrays(e)) throw e;
      OneCommit.execute(connection, "rollback to savepoint dibs_enqueue");
      return insertInSlices(connection, tasks);
    }
    Landings landings = insertInSlices(connection, later);
    for (NewTask<?> task : now) landings.add(task.id());
    return landings;
  }

  private void copy(Connection connection, List<NewTask<?>> tasks) throws SQLException {
    var rows = tasks.stream().map(encoder::encode).iterator();
    if (tasks.stream().allMatch(task -> task.options().unique().isEmpty()))
      copy.copy(connection, rows);
    else copy.copyUnique(connection, rows);
  }

  /** An id or a key is there already, or the table does not take COPY: row security does not. */
  private static boolean isForArrays(SQLException e) {
    return UNIQUE_VIOLATION.equals(e.getSQLState())
        || FEATURE_NOT_SUPPORTED.equals(e.getSQLState());
  }

  private Landings insertInSlices(Connection connection, List<NewTask<?>> tasks)
      throws SQLException {
    var landings = Landings.none();
    List<InsertTasks.Row> slice = new ArrayList<>();
    int chars = 0;
    for (NewTask<?> task : tasks) {
      InsertTasks.Row row = encoder.encode(task);
      slice.add(row);
      chars += row.chars();
      if (slice.size() == SLICE || chars > SLICE_CHARS) {
        landings.addAll(new FewTasks(inserts, slice).put(connection));
        slice.clear();
        chars = 0;
      }
    }
    if (!slice.isEmpty()) landings.addAll(new FewTasks(inserts, slice).put(connection));
    return landings;
  }
}
