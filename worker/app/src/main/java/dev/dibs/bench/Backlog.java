package dev.dibs.bench;

import java.util.ArrayList;
import java.util.List;

/**
 * The first 20,000 tasks out of ever larger backlogs: the rate must not depend on what waits behind
 * them.
 */
final class Backlog implements Scenario {
  private static final int DRAINED = 20_000;

  @Override
  public String name() {
    return "backlog";
  }

  @Override
  public List<Measurement> measure(BenchDatabase db, Bench.Plan plan, Report report)
      throws Exception {
    List<Measurement> measured = new ArrayList<>();
    for (long waiting : new long[] {0, 100_000, 1_000_000}) {
      report.doing(waiting + " more waiting");
      Rounds ours = Rounds.of(plan.rounds(), () -> first(db, waiting));
      var setup =
          new Measurement.Setup(name(), waiting + " more waiting", DRAINED, Drain.CONCURRENCY, 1);
      measured.add(ours.measured(setup, Double.NaN));
    }
    return measured;
  }

  private static Rounds.Round first(BenchDatabase db, long waiting) throws Exception {
    db.reset(false);
    db.execute("update $queue set paused_at = now()");
    db.fill(DRAINED + waiting);
    double first = db.number("select min(position) from $task") + DRAINED;
    try (var worker = Drain.inProcess(db)) {
      return Rounds.timed(
          db,
          DRAINED,
          () -> {
            db.execute("update $queue set paused_at = null");
            db.execute("notify \"" + db.schema().name() + "\", '" + BenchDatabase.QUEUE + "'");
            HeldSnapshot.awaitBelow(db, (long) first, worker);
          });
    }
  }
}
