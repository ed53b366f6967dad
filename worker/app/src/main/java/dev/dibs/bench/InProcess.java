package dev.dibs.bench;

import dev.dibs.Outcome;
import dev.dibs.worker.Worker;
import dev.dibs.worker.WorkerBuilder;
import dev.dibs.worker.WorkerSettings;
import java.time.Duration;

/** A worker in this process that does nothing for each task. */
final class InProcess {
  static final int CONCURRENCY = 64;

  private InProcess() {}

  static Worker start(BenchDatabase db) {
    return builder(db, WorkerSettings.DEFAULT).start();
  }

  static Worker start(BenchDatabase db, Duration pollInterval) {
    return builder(db, WorkerSettings.DEFAULT.withPollInterval(pollInterval)).start();
  }

  static WorkerBuilder builder(BenchDatabase db, WorkerSettings settings) {
    return Worker.on(db.dataSource())
        .queue(BenchDatabase.QUEUE, CONCURRENCY)
        .handle(Tasks.NOOP, (payload, task) -> Outcome.done())
        .settings(settings.withSchema(db.schema()).withDrainTimeout(Duration.ofSeconds(1)));
  }

  /** Waits until so many processes are registered: none starts while the clock runs. */
  static void awaitWorkers(BenchDatabase db, int processes) throws InterruptedException {
    String live = "select count(*) from $worker where status = 'LIVE'";
    Await.until(processes + " workers", () -> db.number(live) == processes);
  }
}
