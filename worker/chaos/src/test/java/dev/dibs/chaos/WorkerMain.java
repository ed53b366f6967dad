package dev.dibs.chaos;

import com.zaxxer.hikari.HikariDataSource;
import dev.dibs.DatabaseException;
import dev.dibs.worker.Worker;
import dev.dibs.worker.WorkerSettings;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A worker process of a chaos run. */
final class WorkerMain {
  /** What the engine keeps for itself. */
  private static final int ENGINE_CONNECTIONS = 5;

  private static final Duration WATCH_EVERY = Duration.ofMillis(200);

  public static void main(String[] args) throws Exception {
    ChildPlan plan = ChildPlan.parse(args[0]);
    Recorder recorder = plan.recorder();
    CountDownLatch told = ChildPlan.toldToStop();
    var meters = new SimpleMeterRegistry();
    int connections = ENGINE_CONNECTIONS + plan.workload().concurrency();
    try (HikariDataSource pool = plan.pool(connections);
        Worker worker = start(plan, recorder, pool, meters)) {
      recorder.write(Event.Type.READY, worker.id().toString());
      watch(recorder, meters, told);
    }
    recorder.write(Event.Type.REFUSED, String.valueOf(refused(meters)));
  }

  private static Worker start(
      ChildPlan plan, Recorder recorder, HikariDataSource pool, SimpleMeterRegistry meters)
      throws InterruptedException {
    var pause = new CountDownLatch(1);
    while (true) {
      try {
        return Worker.on(pool)
            .queue(Work.QUEUE, plan.workload().concurrency())
            .handle(Work.OUTSIDE, new WorkHandler(recorder, Work.OUTSIDE))
            .handle(Work.INSIDE, new WorkHandler(recorder, Work.INSIDE))
            .metrics(meters)
            .settings(
                WorkerSettings.DEFAULT
                    .withLease(plan.workload().lease())
                    .withMaxLosses(plan.workload().maxLosses())
                    .withDrainTimeout(Duration.ofSeconds(10)))
            .start();
      } catch (DatabaseException e) {
        if (pause.await(WATCH_EVERY.toNanos(), TimeUnit.NANOSECONDS)) throw e;
      }
    }
  }

  /** Records how many outcomes were refused, as often as that changes, until told to stop. */
  private static void watch(Recorder recorder, SimpleMeterRegistry meters, CountDownLatch told)
      throws InterruptedException {
    long known = 0;
    while (!told.await(WATCH_EVERY.toNanos(), TimeUnit.NANOSECONDS)) {
      long refused = refused(meters);
      if (refused != known) recorder.write(Event.Type.REFUSED, String.valueOf(refused));
      known = refused;
    }
  }

  private static long refused(SimpleMeterRegistry meters) {
    return (long)
        meters.find("dibs.lease.lost").counters().stream().mapToDouble(Counter::count).sum();
  }
}
