package dev.dibs.bench;

import dev.dibs.Outcome;
import dev.dibs.worker.Worker;
import dev.dibs.worker.WorkerSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * No-op tasks through one process and through four, with history and without; beside the same rows
 * claimed and ended by plain JDBC. From the first claim to the last commit: a process is started
 * and warm before the tasks are let go.
 */
final class Drain implements Scenario {
  static final int CONCURRENCY = 64;
  private static final Duration LOOK_EVERY = Duration.ofMillis(5);

  @Override
  public String name() {
    return "drain";
  }

  @Override
  public List<Measurement> measure(BenchDatabase db, Bench.Plan plan, Report report)
      throws Exception {
    List<Measurement> measured = new ArrayList<>();
    for (boolean history : new boolean[] {false, true}) {
      String kept = history ? "history" : "no history";
      report.doing("raw, " + kept);
      double limit =
          Rounds.of(plan.rounds(), () -> raw(db, plan.tasks(), history)).median().perSecond();
      for (int processes : new int[] {1, 4}) {
        report.doing(processes + " processes, " + kept);
        Rounds ours = Rounds.of(plan.rounds(), () -> drain(db, plan, processes, history));
        var setup = new Measurement.Setup(name(), kept, plan.tasks(), CONCURRENCY, processes);
        measured.add(ours.measured(setup, limit));
      }
    }
    return measured;
  }

  private static Rounds.Round raw(BenchDatabase db, long tasks, boolean history) throws Exception {
    db.reset(history);
    db.fill(tasks);
    Rounds.Round round = Rounds.timed(db, tasks, () -> RawDrain.drain(db, history));
    Confirm.finished(db, tasks, history);
    return round;
  }

  static Rounds.Round drain(BenchDatabase db, Bench.Plan plan, int processes, boolean history)
      throws Exception {
    db.reset(history);
    pause(db);
    db.fill(plan.tasks());
    AutoCloseable workers =
        processes == 1 ? inProcess(db) : plan.processes().start(db, processes, CONCURRENCY);
    try {
      awaitWorkers(db, processes);
      Rounds.Round round =
          Rounds.timed(
              db,
              plan.tasks(),
              () -> {
                resume(db);
                awaitDrained(db);
              });
      Confirm.finished(db, plan.tasks(), history);
      return round;
    } finally {
      workers.close();
    }
  }

  /** A worker in this process. */
  static Worker inProcess(BenchDatabase db) {
    return Worker.on(db.dataSource())
        .queue(BenchDatabase.QUEUE, CONCURRENCY)
        .handle(EnqueueSingle.NOOP, (payload, task) -> Outcome.done())
        .settings(
            WorkerSettings.DEFAULT.withSchema(db.schema()).withDrainTimeout(Duration.ofSeconds(1)))
        .start();
  }

  private static void pause(BenchDatabase db) {
    db.execute("update $queue set paused_at = now()");
  }

  private static void resume(BenchDatabase db) {
    db.execute("update $queue set paused_at = null");
    db.execute("notify \"" + db.schema().name() + "\", '" + BenchDatabase.QUEUE + "'");
  }

  private static void awaitWorkers(BenchDatabase db, int processes) {
    await(() -> db.number("select count(*) from $worker where status = 'LIVE'") == processes);
  }

  static void awaitDrained(BenchDatabase db) {
    await(db::isDrained);
  }

  private static void await(java.util.function.BooleanSupplier condition) {
    while (!condition.getAsBoolean()) LockSupport.parkNanos(LOOK_EVERY.toNanos());
  }
}
