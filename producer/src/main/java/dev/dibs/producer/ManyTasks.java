package dev.dibs.producer;

import dev.dibs.NewTask;
import dev.dibs.sql.CopyTasks;
import dev.dibs.sql.InsertTasks;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * Tasks that travel by COPY.
 *
 * <p>COPY cannot leave alone what is there already, and knows no delays. So it runs behind a
 * savepoint: when an id or a unique key was there, all are inserted from arrays after all; and
 * tasks with a delay, a run time or a window for their key always are. So is all of a user who may
 * not write to the table, by the function. Payloads are encoded while the rows flow, so that
 * neither side waits for the other and no more than a slice is held in memory.
 */
record ManyTasks(
    TaskEncoder encoder, Inserts inserts, CopyTasks copy, List<? extends NewTask<?>> tasks)
    implements Inlet.Load {
  /** From so many tasks on COPY is faster. See RATIONALE. */
  static final int COPY_FROM = 1_000;

  /** What one statement takes from arrays, when there is more. */
  private static final int SLICE = 1_000;

  private static final int SLICE_CHARS = 4 << 20;

  private static final String UNIQUE_VIOLATION = "23505";
  private static final String FEATURE_NOT_SUPPORTED = "0A000";

  /** How a slice goes in. */
  private interface Step {
    Landings put(FewTasks slice, Connection connection) throws SQLException;
  }

  @Override
  public Landings put(Connection connection) throws SQLException {
    return connection.getAutoCommit()
        ? OneCommit.of(connection, () -> putBehindSavepoint(connection, FewTasks::put))
        : putBehindSavepoint(connection, FewTasks::put);
  }

  @Override
  public Landings putAgain(Connection connection) throws SQLException {
    return inserts.wayIn().isByTable(connection)
        ? inserts.withoutEnded(connection, put(connection))
        : putBehindSavepoint(connection, FewTasks::putAgain);
  }

  private Landings putBehindSavepoint(Connection connection, Step step) throws SQLException {
    // As text, because connections of a distributed transaction refuse the method.
    OneCommit.execute(connection, "savepoint dibs_enqueue");
    try {
      Landings landings = copyOrInsert(connection, step);
      OneCommit.execute(connection, "release savepoint dibs_enqueue");
      return landings;
    } catch (SQLException | RuntimeException | Error e) {
      if (e instanceof SQLException refusal) inserts.wayIn().learn(refusal);
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

  private Landings copyOrInsert(Connection connection, Step step) throws SQLException {
    List<NewTask<?>> ordered = encoder.inOrder(tasks);
    List<NewTask<?>> now = new ArrayList<>(ordered.size());
    List<NewTask<?>> later = new ArrayList<>();
    for (NewTask<?> task : ordered) (CopyTasks.takes(task.options()) ? now : later).add(task);
    // Keys are settled in one order, which two ways one after the other would not keep.
    boolean keysGoTwoWays = hasKeys(now) && hasKeys(later);
    if (keysGoTwoWays
        || now.size() < COPY_FROM
        || !CopyTasks.canCopy(connection)
        || !inserts.wayIn().isByTable(connection)) return putInSlices(connection, ordered, step);
    try {
      copy(connection, now);
    } catch (SQLException e) {
      if (!isForArrays(e)) throw e;
      OneCommit.execute(connection, "rollback to savepoint dibs_enqueue");
      return putInSlices(connection, ordered, step);
    }
    Landings landings = putInSlices(connection, later, step);
    for (NewTask<?> task : now) landings.add(task.id());
    return landings;
  }

  private void copy(Connection connection, List<NewTask<?>> tasks) throws SQLException {
    var rows = tasks.stream().map(encoder::encode).iterator();
    if (hasKeys(tasks)) copy.copyUnique(connection, rows);
    else copy.copy(connection, rows);
  }

  private static boolean hasKeys(List<NewTask<?>> tasks) {
    return tasks.stream().anyMatch(task -> task.options().unique().isPresent());
  }

  /** An id or a key is there already, or the table does not take COPY: row security does not. */
  private static boolean isForArrays(SQLException e) {
    return UNIQUE_VIOLATION.equals(e.getSQLState())
        || FEATURE_NOT_SUPPORTED.equals(e.getSQLState());
  }

  private Landings putInSlices(Connection connection, List<NewTask<?>> tasks, Step step)
      throws SQLException {
    var landings = Landings.none();
    List<InsertTasks.Row> slice = new ArrayList<>();
    int chars = 0;
    for (NewTask<?> task : tasks) {
      InsertTasks.Row row = encoder.encode(task);
      slice.add(row);
      chars += row.chars();
      if (slice.size() == SLICE || chars > SLICE_CHARS) {
        landings.addAll(step.put(new FewTasks(inserts, slice), connection));
        slice.clear();
        chars = 0;
      }
    }
    if (!slice.isEmpty()) landings.addAll(step.put(new FewTasks(inserts, slice), connection));
    return landings;
  }
}
