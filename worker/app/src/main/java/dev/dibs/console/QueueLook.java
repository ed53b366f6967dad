package dev.dibs.console;

import dev.dibs.DatabaseException;
import dev.dibs.QueueRow;
import dev.dibs.WorkerRow;
import dev.dibs.operations.Operations;
import dev.dibs.sql.SampleQueues;
import dev.dibs.sql.SampleQueues.Ended;
import dev.dibs.sql.SampleQueues.Lane;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Looks at queues: at the first by name for a sample, or at one alone. Thread-safe. */
final class QueueLook {
  /** More are not looked at every few seconds. */
  private static final int MOST = 200;

  private final ConsoleDatabase database;
  private final InstantSource clock;
  private final Operations operations;
  private final SampleQueues queues;

  QueueLook(ConsoleDatabase database, InstantSource clock) {
    this.database = database;
    this.clock = clock;
    this.operations = Operations.on(database.reads(), database.schema());
    this.queues = new SampleQueues(database.schema());
  }

  Sample sample() throws SQLException {
    List<QueueRow> rows = operations.queues();
    List<WorkerRow> workers = operations.workers();
    try (Connection connection = database.reads().getConnection()) {
      List<Sample.Queue> seen = at(connection, rows.stream().limit(MOST).toList(), workers);
      return new Sample(clock.instant(), seen, rows.size(), workers, queues.whole(connection));
    }
  }

  /**
   * One queue, if it is known.
   *
   * @throws DatabaseException if the database does not answer in time
   */
  Optional<Sample.Queue> one(String name, List<WorkerRow> workers) {
    Optional<QueueRow> row = operations.queue(name);
    if (row.isEmpty()) return Optional.empty();
    try (Connection connection = database.reads().getConnection()) {
      return Optional.of(at(connection, List.of(row.get()), workers).getFirst());
    } catch (SQLException e) {
      throw new DatabaseException("queue '%s' could not be looked at".formatted(name), e);
    }
  }

  private List<Sample.Queue> at(Connection connection, List<QueueRow> rows, List<WorkerRow> workers)
      throws SQLException {
    List<String> names = rows.stream().map(QueueRow::name).toList();
    List<Lane> lanes = queues.lanes(connection, names);
    Map<String, Ended> ended = queues.ended(connection, names);
    Map<String, Integer> running = queues.running(connection);
    List<Sample.Queue> seen = new ArrayList<>();
    for (QueueRow row : rows) {
      Ended done = ended.getOrDefault(row.name(), new Ended(0, 0));
      seen.add(
          new Sample.Queue(
              row,
              lanes.stream().filter(lane -> lane.queue().equals(row.name())).toList(),
              running.getOrDefault(row.name(), 0),
              new Sample.Queue.Counts(done.ended(), done.dead(), slots(workers, row.name()))));
    }
    return seen;
  }

  private static int slots(List<WorkerRow> workers, String queue) {
    return workers.stream()
        .filter(worker -> worker.state().status().equals("LIVE"))
        .filter(worker -> worker.queues().contains(queue))
        .mapToInt(WorkerRow::concurrency)
        .sum();
  }
}
