package dev.dibs.bench;

import dev.dibs.bench.Rounds.Round;
import dev.dibs.bench.Rounds.Take;
import dev.dibs.worker.Worker;
import java.util.List;
import java.util.Locale;

/**
 * The first 20,000 tasks out of ever larger backlogs: the rate must depend neither on what waits
 * behind them nor on what is due another day. Beside the same first tasks drained by plain JDBC.
 */
final class Backlog implements Scenario {
  private static final int USUAL_DRAINED = 20_000;

  /** A round lasts half a second, too short for three of them to tell a tenth from chance. */
  private static final int ROUNDS_OF_A_ROUND = 5;

  /** How many wait behind those that are drained, at the usual size. */
  private record Waiting(int ready, int tomorrow) {
    String variant(Bench.Plan plan) {
      return tomorrow == 0
          ? String.format(Locale.ROOT, "%,d more ready", plan.sized(ready))
          : String.format(Locale.ROOT, "%,d due tomorrow", plan.sized(tomorrow));
    }
  }

  private static final List<Waiting> SIZES =
      List.of(
          new Waiting(1_000, 0),
          new Waiting(100_000, 0),
          new Waiting(1_000_000, 0),
          new Waiting(0, 1_000_000),
          new Waiting(10_000_000, 0));

  @Override
  public String name() {
    return "backlog";
  }

  @Override
  public int takes(Bench.Plan plan) {
    return 2 + SIZES.size() * (1 + 2 * rounds(plan));
  }

  /** Who asks for a single round tries it only, and gets one. */
  private static int rounds(Bench.Plan plan) {
    return plan.rounds() == 1 ? 1 : ROUNDS_OF_A_ROUND * plan.rounds();
  }

  @Override
  public void measure(BenchDatabase db, Bench.Plan plan, Bench.Report report) throws Exception {
    Drain.warmUp(db, plan, report);
    for (Waiting waiting : SIZES) report.measured(measure(db, plan, report, waiting));
  }

  /** Fills once; what the rounds have drained is added again behind the others. */
  private Measurement measure(
      BenchDatabase db, Bench.Plan plan, Bench.Report report, Waiting waiting) throws Exception {
    String variant = waiting.variant(plan);
    int drained = plan.sized(USUAL_DRAINED);
    long ready = (long) drained + plan.sized(waiting.ready());
    report.doing("filling, " + variant);
    db.reset(false);
    db.pause();
    db.fill(ready);
    db.fillTomorrow(plan.sized(waiting.tomorrow()));
    try (Worker worker = InProcess.start(db)) {
      InProcess.awaitWorkers(db, 1);
      var takes =
          List.of(
              new Take("raw, " + variant, () -> raw(db, drained, ready)),
              new Take(variant, () -> ours(db, drained, ready, worker)));
      List<Rounds> rounds = Rounds.inTurn(rounds(plan), report::doing, takes);
      var setup =
          new Measurement.Setup(name(), variant, drained, InProcess.CONCURRENCY, 1, rounds(plan));
      return rounds.get(1).measured(setup, rounds.get(0).perSecond());
    }
  }

  private static Round raw(BenchDatabase db, int drained, long ready) throws Exception {
    refill(db, ready);
    long before = db.tasks();
    try (var raw = new RawDrain(db, RawDrain.BEST, false)) {
      Round round = Rounds.timed(db, drained, () -> raw.drain(drained));
      Confirm.count(db, before - drained);
      return round;
    }
  }

  private static Round ours(BenchDatabase db, int drained, long ready, Worker worker)
      throws Exception {
    refill(db, ready);
    var first = new Tail(db, drained);
    Round round =
        Rounds.timed(
            db,
            drained,
            () -> {
              db.release();
              first.awaitDrained();
              return worker.id();
            });
    db.pause();
    Await.until("what is claimed already", () -> held(db) == 0);
    return round;
  }

  private static double held(BenchDatabase db) {
    return db.number("select count(*) from $task where status = 'PROCESSING'");
  }

  private static void refill(BenchDatabase db, long ready) {
    db.fill(ready - (long) db.number("select count(*) from $task where status = 'PENDING'"));
  }
}
