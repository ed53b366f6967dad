package dev.dibs.bench;

import dev.dibs.bench.Rounds.Take;
import dev.dibs.producer.Producer;
import java.util.ArrayList;
import java.util.List;

/**
 * One task an enqueue, a commit each, from 1 and from 8 callers; beside the same single INSERT by
 * plain JDBC.
 */
final class EnqueueSingle implements Scenario {
  private static final List<Integer> CALLERS = List.of(1, 8);
  private static final int USUAL_TASKS = 20_000;

  @Override
  public String name() {
    return "enqueue-single";
  }

  @Override
  public int takes(Bench.Plan plan) {
    return 2 * CALLERS.size() * plan.rounds();
  }

  @Override
  public void measure(BenchDatabase db, Bench.Plan plan, Bench.Report report) throws Exception {
    for (int callers : CALLERS) {
      int each = plan.sized(USUAL_TASKS) / callers;
      String variant = callers == 1 ? "1 caller" : callers + " callers";
      var takes =
          List.of(
              new Take("raw, " + variant, () -> raw(db, callers, each)),
              new Take(variant, () -> ours(db, callers, each)));
      List<Rounds> rounds = Rounds.inTurn(plan.rounds(), report::doing, takes);
      var setup =
          new Measurement.Setup(name(), variant, (long) each * callers, callers, 1, plan.rounds());
      report.measured(rounds.get(1).measured(setup, rounds.get(0).perSecond()));
    }
  }

  /** The limit: so many connections, each with an INSERT a task. */
  static Rounds.Round raw(BenchDatabase db, int connections, int each) throws Exception {
    db.reset(false);
    try (var open = new SideBySide.Connections(db, connections)) {
      long count = (long) connections * each;
      Rounds.Round round =
          Rounds.timed(
              db, count, () -> SideBySide.run(open, c -> () -> RawInsert.single(db, c, each)));
      Confirm.count(db, count);
      return round;
    }
  }

  private static Rounds.Round ours(BenchDatabase db, int callers, int each) throws Exception {
    db.reset(false);
    List<long[]> nanos = new ArrayList<>();
    try (var pool = new ConnectionPerThread(db, callers);
        Producer producer = pool.producer()) {
      long count = (long) callers * each;
      Rounds.Round round =
          Rounds.timed(
              db,
              count,
              () -> nanos.addAll(SideBySide.run(callers, () -> enqueue(producer, each))));
      Confirm.count(db, count);
      return round.with(Percentiles.of(nanos));
    }
  }

  private static long[] enqueue(Producer producer, int count) {
    long[] nanos = new long[count];
    for (int n = 0; n < count; n++) {
      long startedAt = System.nanoTime();
      producer.enqueue(Tasks.task(n));
      nanos[n] = System.nanoTime() - startedAt;
    }
    return nanos;
  }
}
