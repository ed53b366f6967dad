package dev.dibs.bench;

import dev.dibs.worker.Worker;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** What an idle process asks of the database: transactions a minute. */
final class Idle implements Scenario {
  private static final Duration WATCHED = Duration.ofSeconds(20);

  @Override
  public String name() {
    return "idle";
  }

  @Override
  public List<Measurement> measure(BenchDatabase db, Bench.Plan plan, Report report)
      throws Exception {
    db.reset(false);
    try (Worker worker = Drain.inProcess(db)) {
      report.doing("settling");
      LockSupport.parkNanos(Duration.ofSeconds(5).toNanos());
      double before = db.commits();
      long startedAt = System.nanoTime();
      report.doing("watching " + worker.id());
      while (System.nanoTime() - startedAt < WATCHED.toNanos())
        LockSupport.parkNanos(WATCHED.toNanos() / 20);
      double own = db.commits() - before;
      double seconds = (double) (System.nanoTime() - startedAt) / 1e9;
      return List.of(
          new Measurement(
              new Measurement.Setup(
                  name(), "transactions a minute", Math.round(own * 60 / seconds), 64, 1),
              new Measurement.Pace(seconds, Double.NaN, Double.NaN, Double.NaN, Double.NaN),
              new Measurement.Cost(Double.NaN, Double.NaN),
              Double.NaN));
    }
  }
}
