package dev.dibs.producer;

import dev.dibs.sql.EnqueueTasks;
import dev.dibs.sql.InsertTasks;
import dev.dibs.sql.InsertUniqueTasks;
import dev.dibs.sql.ReadBack;
import dev.dibs.sql.Schema;
import dev.dibs.sql.WayIn;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** The statements that put tasks in, and what tells which of them a user may send. Thread-safe. */
record Inserts(
    WayIn wayIn,
    InsertTasks plain,
    InsertUniqueTasks unique,
    ReadBack readBack,
    EnqueueTasks function) {
  static Inserts of(Schema schema) {
    return new Inserts(
        new WayIn(schema),
        new InsertTasks(schema),
        new InsertUniqueTasks(schema),
        new ReadBack(schema),
        new EnqueueTasks(schema));
  }

  Landings call(Connection connection, List<InsertTasks.Row> rows) throws SQLException {
    return Landings.of(Set.of(), function.enqueue(connection, rows));
  }

  Landings callAgain(Connection connection, List<InsertTasks.Row> rows) throws SQLException {
    return Landings.of(Set.of(), function.enqueueAgain(connection, rows));
  }

  /**
   * Takes back those of {@code landings} that were inserted just now and had ended before: they
   * were enqueued before, too.
   */
  Landings withoutEnded(Connection connection, Landings landings) throws SQLException {
    Set<UUID> ended = readBack.ended(connection, landings.inserted());
    plain.withdraw(connection, ended);
    return landings.without(ended);
  }
}
