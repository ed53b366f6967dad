package dev.dibs.bench;

import dev.dibs.worker.Worker;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * The last tenth of a drain against its first, while another session holds an old snapshot open, so
 * that no dead row can be removed: the failure mode of queues that skip locked rows.
 */
final class HeldSnapshot implements Scenario {
  private static final int SCALE = 10;
  private static final Duration LOOK_EVERY = Duration.ofMillis(5);

  @Override
  public String name() {
    return "held-snapshot";
  }

  @Override
  public List<Measurement> measure(BenchDatabase db, Bench.Plan plan, Report report)
      throws Exception {
    long tasks = (long) plan.tasks() * SCALE;
    report.doing("filling " + tasks);
    db.reset(false);
    db.execute("update $queue set paused_at = now()");
    db.fill(tasks);
    List<Measurement> measured = new ArrayList<>();
    long lowest = (long) db.number("select min(position) from $task");
    try (Connection held = db.connect();
        var statement = held.createStatement();
        Worker worker = Drain.inProcess(db)) {
      held.setAutoCommit(false);
      statement.execute("set transaction isolation level repeatable read");
      statement.execute(db.inSchema("select count(*) from $queue"));
      db.execute("update $queue set paused_at = null");
      for (int tenth = 1; tenth <= 10; tenth++) {
        report.doing("tenth " + tenth);
        long share = tasks / 10;
        long until = lowest + share * tenth;
        Rounds.Round round = Rounds.timed(db, share, () -> awaitBelow(db, until, worker));
        var setup = new Measurement.Setup(name(), "tenth " + tenth, share, Drain.CONCURRENCY, 1);
        measured.add(
            Rounds.of(1, () -> round)
                .measured(
                    setup,
                    measured.isEmpty() ? Double.NaN : measured.getFirst().pace().perSecond()));
      }
      held.rollback();
    }
    return measured;
  }

  /**
   * Waits until no task is left below a position: asked of the index from its end, which stays
   * cheap.
   */
  static void awaitBelow(BenchDatabase db, long position, Worker worker) {
    String left =
        "select count(*) from (select from $task where queue = 'bench' and status = 'PENDING' and priority = 3 and position >= "
            + position
            + " - 1000 and position < "
            + position
            + " limit 1) t";
    while (db.number(left) > 0) {
      if (!worker.isLive()) throw new IllegalStateException("the worker ended");
      LockSupport.parkNanos(LOOK_EVERY.toNanos());
    }
  }
}
