package dev.dibs.producer;

import dev.dibs.NewTask;
import dev.dibs.sql.CopyTasks;
import dev.dibs.sql.InsertTasks;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * The way of tasks into the table: few in one statement, many by COPY where the user may; all or
 * none. Thread-safe.
 */
final class Inlet {
  private final TaskEncoder encoder;
  private final Inserts inserts;
  private final CopyTasks copy;

  Inlet(ProducerSettings settings) {
    this.encoder = new TaskEncoder(settings);
    this.inserts = Inserts.of(settings.schema());
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

    /**
     * As {@link #put} in a transaction, where the tasks may have been put in before: those that
     * have ended since are there already.
     */
    Landings putAgain(Connection connection) throws SQLException;
  }

  /**
   * Encodes few tasks now and many only when they go in.
   *
   * @throws dev.dibs.PayloadException if a payload of few cannot be kept
   */
  Load load(List<? extends NewTask<?>> tasks) {
    if (tasks.size() >= ManyTasks.COPY_FROM) return new ManyTasks(encoder, inserts, copy, tasks);
    List<InsertTasks.Row> rows = new ArrayList<>(tasks.size());
    for (NewTask<?> task : tasks) rows.add(encoder.encode(task));
    return new FewTasks(inserts, rows);
  }
}
