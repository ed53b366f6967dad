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
 * size; its ten parts are rounds enough. Beside plain JDBC under such a snapshot.
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
    return 2 + 2 + 1 + PARTS;
  }

  @Override
  public List<Measurement> measure(BenchDatabase db, Bench.Plan plan, Report report)
      throws Exception {
    Drain.warmUp(db, plan, report);
    int tasks = plan.sized(USUAL_TASKS);
    double limit = raw(db, tasks, report);
    List<Round> tenths = ours(db, tasks, report);
    double first = tenths.getFirst().perSecond();
    double last = tenths.getLast().perSecond();
    double slowest = Collections.min(tenths.stream().map(Round::perSecond).toList());
    return List.of(
        measured("first tenth", tenths.getFirst(), limit),
        measured(
            "last tenth",
            tenths.getLast().also("last_to_first", last / first).also("slowest_tenth", slowest),
            limit));
  }

  private Measurement measured(String variant, Round tenth, double limit) {
    var setup = new Measurement.Setup(name(), variant, tenth.tasks(), InProcess.CONCURRENCY, 1, 1);
    return Rounds.of(tenth).measured(setup, limit);
  }

  private static double raw(BenchDatabase db, int tasks, Report report) throws Exception {
    report.doing("filling for the limit");
    db.reset(false);
    db.fill(tasks);
    report.doing("raw");
    try (Connection old = snapshot(db);
        var raw = new RawDrain(db, RawDrain.BEST, false)) {
      Round round = Rounds.timed(db, tasks, raw::drain);
      Confirm.count(db, 0);
      old.rollback();
      return round.perSecond();
    }
  }

  private static List<Round> ours(BenchDatabase db, int tasks, Report report) throws Exception {
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
