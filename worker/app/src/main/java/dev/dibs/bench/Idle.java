package dev.dibs.bench;

import dev.dibs.worker.Worker;
import dev.dibs.worker.WorkerSettings;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What an idle process asks of the database, counted by the database: transactions, which outside
 * of the rare duties are a query each. Beside what it counts without any process.
 */
final class Idle implements Scenario {
  private static final Duration WATCHED = Duration.ofSeconds(30);

  /** Sessions report their statistics up to ten seconds late. */
  private static final Duration SETTLING = Duration.ofSeconds(12);

  private static final List<Duration> POLLS =
      List.of(WorkerSettings.DEFAULT.pollInterval(), Duration.ofSeconds(5));
  private static final double NANOS_PER_MINUTE = 60e9;

  @Override
  public String name() {
    return "idle";
  }

  @Override
  public int takes(Bench.Plan plan) {
    return 1 + POLLS.size() * plan.rounds();
  }

  @Override
  public void measure(BenchDatabase db, Bench.Plan plan, Bench.Report report) throws Exception {
    db.reset(false);
    report.doing("no process");
    report.measured(measured("no process", 0, queriesPerMinute(db, plan)));
    for (Duration poll : POLLS) {
      String variant = "poll every " + (double) poll.toMillis() / 1e3 + " s";
      double[] queries = new double[plan.rounds()];
      try (Worker worker = InProcess.start(db, poll)) {
        InProcess.awaitWorkers(db, 1);
        Await.pause(plan.lasting(SETTLING));
        for (int i = 0; i < queries.length; i++) {
          report.doing(variant + ", " + worker.id());
          queries[i] = queriesPerMinute(db, plan);
        }
      }
      report.measured(measured(variant, 1, queries));
    }
  }

  private static double queriesPerMinute(BenchDatabase db, Bench.Plan plan)
      throws InterruptedException {
    double before = db.transactions();
    long startedAt = System.nanoTime();
    Await.pause(plan.lasting(WATCHED));
    double asked = db.transactions() - before;
    return asked * NANOS_PER_MINUTE / (double) (System.nanoTime() - startedAt);
  }

  private Measurement measured(String variant, int processes, double... queries) {
    Map<String, Double> also = new LinkedHashMap<>();
    Spread.of(queries).into(also, "queries_per_min");
    int slots = processes * InProcess.CONCURRENCY;
    var setup = new Measurement.Setup(name(), variant, 0, slots, processes, queries.length);
    return Measurement.of(setup, Measurement.Times.UNKNOWN, also);
  }
}
