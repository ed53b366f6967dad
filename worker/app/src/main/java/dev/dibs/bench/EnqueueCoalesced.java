package dev.dibs.bench;

import dev.dibs.bench.Rounds.Take;
import dev.dibs.producer.CoalescingProducer;
import dev.dibs.producer.CoalescingSettings;
import java.util.ArrayList;
import java.util.List;

/**
 * One task an enqueue from 64 threads that share commits, each waiting for its answer; beside the
 * single INSERTs of 8 connections by plain JDBC.
 */
final class EnqueueCoalesced implements Scenario {
  private static final int THREADS = 64;
  private static final int CONNECTIONS = 8;
  private static final int USUAL_TASKS = 128_000;
  private static final int USUAL_RAW_TASKS = 20_000;

  @Override
  public String name() {
    return "enqueue-coalesced";
  }

  @Override
  public int takes(Bench.Plan plan) {
    return 3 * plan.rounds();
  }

  @Override
  public void measure(BenchDatabase db, Bench.Plan plan, Bench.Report report) throws Exception {
    int each = plan.sized(USUAL_TASKS) / THREADS;
    int rawEach = plan.sized(USUAL_RAW_TASKS) / CONNECTIONS;
    List<String> variants = List.of(THREADS + " threads", THREADS + " virtual threads");
    var takes =
        List.of(
            new Take(
                "raw, " + CONNECTIONS + " connections",
                () -> EnqueueSingle.raw(db, CONNECTIONS, rawEach)),
            new Take(variants.get(0), () -> ours(db, each, false)),
            new Take(variants.get(1), () -> ours(db, each, true)));
    List<Rounds> rounds = Rounds.inTurn(plan.rounds(), report::doing, takes);
    for (int i = 0; i < variants.size(); i++) {
      var setup =
          new Measurement.Setup(
              name(), variants.get(i), (long) each * THREADS, THREADS, 1, plan.rounds());
      report.measured(rounds.get(i + 1).measured(setup, rounds.getFirst().perSecond()));
    }
  }

  private static Rounds.Round ours(BenchDatabase db, int each, boolean virtual) throws Exception {
    db.reset(false);
    CoalescingSettings settings = CoalescingSettings.DEFAULT;
    List<long[]> nanos = new ArrayList<>();
    try (var pool = new ConnectionPerThread(db, settings.commitsInFlight());
        var producer = CoalescingProducer.on(pool, settings.withProducer(pool.settings()))) {
      Rounds.Round round =
          Rounds.timed(
              db,
              (long) each * THREADS,
              () ->
                  nanos.addAll(
                      virtual
                          ? SideBySide.runVirtual(THREADS, () -> enqueue(producer, each))
                          : SideBySide.run(THREADS, () -> enqueue(producer, each))));
      Confirm.count(db, (long) each * THREADS);
      return round.with(Percentiles.of(nanos));
    }
  }

  private static long[] enqueue(CoalescingProducer producer, int count) {
    long[] nanos = new long[count];
    for (int n = 0; n < count; n++) {
      long startedAt = System.nanoTime();
      producer.enqueue(Tasks.task(n)).join();
      nanos[n] = System.nanoTime() - startedAt;
    }
    return nanos;
  }
}
