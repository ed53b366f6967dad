package dev.dibs.bench;

import dev.dibs.sql.Plans;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The limit of a drain: every row claimed, read and ended, a batch a statement, and nothing else
 * done for it. No lanes, no kinds, no leases checked, no handlers. Its connections are open before
 * anything is measured, and plan as ours do: the limit is to have every advantage.
 */
final class RawDrain implements AutoCloseable {
  /** How it claims. */
  record Shape(int connections, int batch) {}

  /** The fastest of those that were tried on two cores. */
  static final Shape BEST = new Shape(2, 1_000);

  private static final Duration DRY = Duration.ofMillis(1);

  private static final String STATEMENT =
      """
      with ended as (delete from $task where id = any(?) returning *),
      archived as (insert into $task_history (id, created_at, run_at, claimed_at, lease, worker_id, status, priority,
          attempt, failures, losses, max_attempts, queue, kind, payload)
        select id, created_at, run_at, claimed_at, lease, worker_id, 'SUCCEEDED', priority, attempt, failures, losses,
          max_attempts, queue, kind, payload from ended where ?),
      picked as materialized (select id from $task where queue = 'bench' and status = 'PENDING' and priority = 3
        and position > ? order by position limit ? for no key update skip locked)
      update $task set status = 'PROCESSING', attempt = attempt + 1, claimed_at = statement_timestamp(), lease = ?,
        worker_id = ? where id = any(array(select id from picked)) returning id, position, payload::text\
      """;

  private final BenchDatabase db;
  private final SideBySide.Connections connections;
  private final int batch;
  private final boolean history;
  private final Deadlocks deadlocks = new Deadlocks();

  /** The highest position that was claimed: where the next run begins to look. */
  private long reached;

  RawDrain(BenchDatabase db, Shape shape, boolean history) throws SQLException {
    this.db = db;
    this.connections = new SideBySide.Connections(db, shape.connections(), Plans.FIXED);
    this.batch = shape.batch();
    this.history = history;
  }

  /** Until nothing is left to claim. */
  long drain() throws Exception {
    return drain(Long.MAX_VALUE);
  }

  /** Until {@code most} tasks are claimed and ended, or nothing is left; answers how many. */
  long drain(long most) throws Exception {
    return run(new UpTo(new AtomicLong(most), batch));
  }

  /** Until so many tasks are ended that are still being inserted; answers how many. */
  long follow(long tasks) throws Exception {
    return run(new Following(new AtomicLong(tasks), batch));
  }

  private long run(Pace pace) throws Exception {
    long from = reached;
    List<Ended> ended =
        SideBySide.run(connections, connection -> () -> new Claimer(connection, pace, from).run());
    reached = ended.stream().mapToLong(Ended::reached).max().orElse(from);
    return ended.stream().mapToLong(Ended::tasks).sum();
  }

  private record Ended(long tasks, long reached) {}

  /** How much to claim, and when it is enough. Thread-safe. */
  private interface Pace {
    /** The most that the next claim takes. */
    int room();

    /** Whether the claimer that found {@code claimed} for its room is done. */
    boolean isOver(int claimed) throws InterruptedException;
  }

  /** What is there already: a claim that finds nothing is the last. */
  private record UpTo(AtomicLong left, int batch) implements Pace {
    @Override
    public int room() {
      return Math.clamp(left.getAndAdd(-batch), 0, batch);
    }

    @Override
    public boolean isOver(int claimed) {
      left.addAndGet(batch - claimed);
      return claimed == 0;
    }
  }

  /** What is still to come: a claim that finds nothing is tried again. */
  private record Following(AtomicLong left, int batch) implements Pace {
    @Override
    public int room() {
      return batch;
    }

    @Override
    public boolean isOver(int claimed) throws InterruptedException {
      if (left.addAndGet(-claimed) <= 0 && claimed == 0) return true;
      if (claimed == 0) Await.pause(DRY);
      return false;
    }
  }

  /** One connection, owned by one thread. */
  private final class Claimer {
    private final Connection connection;
    private final Pace pace;
    private List<UUID> held = List.of();
    private long floor;
    private long furthest;

    Claimer(Connection connection, Pace pace, long floor) {
      this.connection = connection;
      this.pace = pace;
      this.floor = floor;
    }

    /** Claims and ends until the pace says it is enough. */
    Ended run() throws SQLException, InterruptedException {
      long ended = 0;
      try (PreparedStatement statement = connection.prepareStatement(db.inSchema(STATEMENT))) {
        do {
          int before = held.size();
          claim(statement, pace.room());
          ended += before;
        } while (!pace.isOver(held.size()));
      }
      return new Ended(ended, furthest);
    }

    private void claim(PreparedStatement statement, int room) throws SQLException {
      statement.setArray(1, connection.createArrayOf("uuid", held.toArray()));
      statement.setBoolean(2, history);
      statement.setLong(3, floor);
      statement.setInt(4, room);
      statement.setObject(5, UUID.randomUUID());
      statement.setObject(6, UUID.randomUUID());
      List<UUID> claimed = new ArrayList<>(room);
      try (ResultSet rows = deadlocks.outlive(statement::executeQuery)) {
        while (rows.next()) {
          claimed.add(rows.getObject(1, UUID.class));
          floor = Math.max(floor, rows.getLong(2));
          if (rows.getString(3).isEmpty()) throw new IllegalStateException("a payload is missing");
        }
      }
      held = claimed;
      furthest = Math.max(furthest, floor);
      if (claimed.isEmpty()) floor = 0; // what drew its position early may have committed late
    }
  }

  @Override
  public void close() throws SQLException {
    connections.close();
  }
}
