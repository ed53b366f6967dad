package dev.dibs.producer;

import dev.dibs.NewTask;
import dev.dibs.sql.CopyTasks;
import dev.dibs.sql.InsertTasks;
import dev.dibs.sql.Replication;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/**
 * The way of tasks into the table: few in one INSERT from arrays, many by COPY; all or none.
 *
 * <p>COPY cannot leave alone what is there already, and knows no delays. So it runs behind a
 * savepoint: when an id was there, all are inserted from arrays after all; and tasks with a delay
 * or a run time always are. Payloads are encoded while the rows flow, so that neither side waits
 * for the other and no more than a slice is held in memory. Thread-safe.
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
  private final InsertTasks insert;
  private final CopyTasks copy;

  Inlet(ProducerSettings settings) {
    this.encoder = new TaskEncoder(settings);
    this.insert = new InsertTasks(settings.schema());
    this.copy = new CopyTasks(settings.schema());
  }

  /** Tasks that are ready to go in. */
  interface Load {
    /**
     * Puts the tasks in, in the transaction of {@code connection}; where that commits by itself, in
     * one commit.
     *
     * @return the ids that were inserted; those missing were there already
     * @throws dev.dibs.PayloadException if a payload of many cannot be kept; the transaction can go
     *     on as if nothing had been sent
     */
    Set<UUID> put(Connection connection) throws SQLException;

    /**
     * As {@link #put}, where {@code connection} is ours, commits by itself and has no transaction
     * open that a refused statement could abort.
     */
    default Set<UUID> putAlone(Connection connection) throws SQLException {
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
    return new FewTasks(insert, rows);
  }

  private Set<UUID> putMany(Connection connection, List<? extends NewTask<?>> tasks)
      throws SQLException {
    return connection.getAutoCommit()
        ? putInOneCommit(connection, tasks)
        : putBehindSavepoint(connection, tasks);
  }

  private Set<UUID> putInOneCommit(Connection connection, List<? extends NewTask<?>> tasks)
      throws SQLException {
    connection.setAutoCommit(false);
    try {
      Set<UUID> inserted = putBehindSavepoint(connection, tasks);
      connection.clearWarnings();
      connection.commit();
      Replication.check(connection.getWarnings());
      connection.setAutoCommit(true);
      return inserted;
    } catch (SQLException | RuntimeException | Error e) {
      undo(connection, e);
      throw e;
    }
  }

  private static void undo(Connection connection, Throwable reason) {
    try {
      connection.rollback();
      connection.setAutoCommit(true);
    } catch (SQLException e) {
      reason.addSuppressed(e);
    }
  }

  private Set<UUID> putBehindSavepoint(Connection connection, List<? extends NewTask<?>> tasks)
      throws SQLException {
    // As text, because connections of a distributed transaction refuse the method.
    execute(connection, "savepoint dibs_enqueue");
    try {
      Set<UUID> inserted = copyOrInsert(connection, inOrder(tasks));
      execute(connection, "release savepoint dibs_enqueue");
      return inserted;
    } catch (SQLException | RuntimeException | Error e) {
      rollBackToSavepoint(connection, e);
      throw e;
    }
  }

  /** Two transactions that bring the same ids must not wait for each other crosswise. */
  private static List<NewTask<?>> inOrder(List<? extends NewTask<?>> tasks) {
    List<NewTask<?>> ordered = new ArrayList<>(tasks);
    ordered.sort(Comparator.comparing(NewTask::id));
    return ordered;
  }

  private static void rollBackToSavepoint(Connection connection, Throwable reason) {
    try {
      execute(connection, "rollback to savepoint dibs_enqueue");
    } catch (SQLException e) {
      reason.addSuppressed(e);
    }
  }

  private Set<UUID> copyOrInsert(Connection connection, List<NewTask<?>> tasks)
      throws SQLException {
    List<NewTask<?>> now = new ArrayList<>(tasks.size());
    List<NewTask<?>> later = new ArrayList<>();
    for (NewTask<?> task : tasks) (CopyTasks.takes(task.options()) ? now : later).add(task);
    if (now.size() < COPY_FROM || !CopyTasks.canCopy(connection))
      return insertInSlices(connection, tasks);
    try {
      copy.copy(connection, now.stream().map(encoder::encode).iterator());
    } catch (SQLException e) {
      if (!isForArrays(e)) throw e;
      execute(connection, "rollback to savepoint dibs_enqueue");
      return insertInSlices(connection, tasks);
    }
    Set<UUID> inserted = insertInSlices(connection, later);
    for (NewTask<?> task : now) inserted.add(task.id());
    return inserted;
  }

  /** An id is there already, or the table does not take COPY: row security does not. */
  private static boolean isForArrays(SQLException e) {
    return UNIQUE_VIOLATION.equals(e.getSQLState())
        || FEATURE_NOT_SUPPORTED.equals(e.getSQLState());
  }

  private Set<UUID> insertInSlices(Connection connection, List<NewTask<?>> tasks)
      throws SQLException {
    Set<UUID> inserted = new HashSet<>();
    List<InsertTasks.Row> slice = new ArrayList<>();
    int chars = 0;
    for (NewTask<?> task : tasks) {
      InsertTasks.Row row = encoder.encode(task);
      slice.add(row);
      chars += row.chars();
      if (slice.size() == SLICE || chars > SLICE_CHARS) {
        inserted.addAll(insert.insert(connection, slice));
        slice.clear();
        chars = 0;
      }
    }
    if (!slice.isEmpty()) inserted.addAll(insert.insert(connection, slice));
    return inserted;
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (var statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
