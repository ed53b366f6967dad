package dev.dibs.bench;

import dev.dibs.bench.Rounds.Round;
import dev.dibs.worker.Worker;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The last tenth of a drain against its first, while another session holds an old snapshot open, so
 * that no dead row can be removed: the failure mode of queues that skip locked rows. Once, for its
 * size; its ten parts are rounds enough. Beside the same tenths by plain JDBC under such a
 * snapshot, which bend where the disk does.
 */
final class HeldSnapshot implements Scenario {
  private static final int USUAL_TASKS = 3_000_000;
  private static final int PARTS = 10;

  @Override
  public String name() {
    return "held-snapshot";
  }

  @Override
  public int takes(Bench.Plan plan) {
    return 2 + 1 + PARTS + 1 + PARTS;
  }

  @Override
  public void measure(BenchDatabase db, Bench.Plan plan, Bench.Report report) throws Exception {
    Drain.warmUp(db, plan, report);
    int tasks = plan.sized(USUAL_TASKS);
    List<Round> limits = raw(db, tasks, report);
    List<Round> tenths = ours(db, tasks, report);
    double slowest = Collections.min(tenths.stream().map(Round::perSecond).toList());
    Round last =
        tenths
            .getLast()
            .also("last_to_first", lastToFirst(tenths))
            .also("limit_last_to_first", lastToFirst(limits))
            .also("slowest_tenth", slowest);
    report.measured(measured("first tenth", tenths.getFirst(), limits.getFirst()));
    report.measured(measured("last tenth", last, limits.getLast()));
  }

  private static double lastToFirst(List<Round> tenths) {
    return tenths.getLast().perSecond() / tenths.getFirst().perSecond();
  }

  private Measurement measured(String variant, Round tenth, Round limit) {
    var setup = new Measurement.Setup(name(), variant, tenth.tasks(), InProcess.CONCURRENCY, 1, 1);
    return Rounds.of(tenth).measured(setup, limit.perSecond());
  }

  private static List<Round> raw(BenchDatabase db, int tasks, Bench.Report report)
      throws Exception {
    report.doing("filling for the limit");
    db.reset(false);
    db.fill(tasks);
    List<Round> tenths = new ArrayList<>();
    try (Connection old = snapshot(db);
        var raw = new RawDrain(db, RawDrain.BEST, false)) {
      long share = tasks / PARTS;
      for (int tenth = 1; tenth <= PARTS; tenth++) {
        report.doing("raw, tenth " + tenth);
        tenths.add(Rounds.timed(db, share, () -> raw.drain(share)));
      }
      Confirm.count(db, 0);
      old.rollback();
    }
    return tenths;
  }

  private static List<Round> ours(BenchDatabase db, int tasks, Bench.Report report)
      throws Exception {
    report.doing("filling");
    db.reset(false);
    db.pause();
    db.fill(tasks);
    long first = (long) db.number("select min(position) from $task");
    List<Round> tenths = new ArrayList<>();
    try (Connection old = snapshot(db);
        Worker worker = InProcess.start(db)) {
      InProcess.awaitWorkers(db, 1);
      db.release();
      long share = tasks / PARTS;
      for (int tenth = 1; tenth <= PARTS; tenth++) {
        report.doing("tenth " + tenth + " by " + worker.id());
        long end = first + share * tenth;
        tenths.add(Rounds.timed(db, share, () -> awaitClaimedBelow(db, end)));
      }
      Await.until("the last tasks", () -> db.tasks() == 0);
      old.rollback();
    }
    return tenths;
  }

  /** What another session may hold for hours: a report, a dump, a forgotten console. */
  private static Connection snapshot(BenchDatabase db) throws Exception {
    Connection connection = db.connect();
    connection.setAutoCommit(false);
    try (var statement = connection.createStatement()) {
      statement.execute("set transaction isolation level repeatable read");
      statement.execute(db.inSchema("select count(*) from $queue"));
    }
    return connection;
  }

  /** Waits until no task below a position is ready: asked of the lane near its end only. */
  private static boolean awaitClaimedBelow(BenchDatabase db, long position)
      throws InterruptedException {
    String ready =
        """
        select count(*) from (select from $task where queue = 'bench' and status = 'PENDING' and priority = 3
          and position >= %1$d - 1000 and position < %1$d order by position limit 1) t\
        """
            .formatted(position);
    Await.until("the claim of all below " + position, () -> db.number(ready) == 0);
    return true;
  }
}
