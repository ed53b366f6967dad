package dev.dibs.bench;

import dev.dibs.Outcome;
import dev.dibs.producer.Producer;
import dev.dibs.producer.ProducerSettings;
import dev.dibs.worker.Worker;
import dev.dibs.worker.WorkerSettings;
import java.sql.Connection;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.postgresql.PGConnection;

/**
 * From the commit of an enqueue to the start of its handler, idle, a task every 50 ms; beside a
 * bare NOTIFY.
 */
final class Latency implements Scenario {
  private static final int TASKS = 200;
  private static final long EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  @Override
  public String name() {
    return "latency";
  }

  @Override
  public List<Measurement> measure(BenchDatabase db, Bench.Plan plan, Report report)
      throws Exception {
    report.doing("bare NOTIFY");
    double[] bare = notified(db);
    report.doing("enqueue to handler");
    double[] ours = handled(db);
    return List.of(measured("bare NOTIFY round trip", bare), measured("enqueue to handler", ours));
  }

  private Measurement measured(String variant, double[] millis) {
    Arrays.sort(millis);
    double p50 = millis[millis.length / 2];
    double p99 = millis[millis.length * 99 / 100];
    return new Measurement(
        new Measurement.Setup(name(), variant, millis.length, 1, 1),
        new Measurement.Pace(Double.NaN, Double.NaN, Double.NaN, p50, p99),
        new Measurement.Cost(Double.NaN, Double.NaN),
        Double.NaN);
  }

  private static double[] notified(BenchDatabase db) throws Exception {
    double[] millis = new double[TASKS];
    try (Connection listener = db.connect();
        Connection notifier = db.connect();
        var listen = listener.createStatement();
        var notify = notifier.createStatement()) {
      listen.execute("listen bench_echo");
      for (int i = 0; i < TASKS; i++) {
        LockSupport.parkNanos(EVERY_NANOS);
        long sentAt = System.nanoTime();
        notify.execute("notify bench_echo");
        listener.unwrap(PGConnection.class).getNotifications(5_000);
        millis[i] = (double) (System.nanoTime() - sentAt) / 1e6;
      }
    }
    return millis;
  }

  private static double[] handled(BenchDatabase db) throws Exception {
    db.reset(false);
    double[] millis = new double[TASKS];
    var started = new SynchronousQueue<Long>();
    try (var pool = new ConnectionPerThread(db);
        Producer producer = Producer.on(pool, ProducerSettings.DEFAULT.withSchema(db.schema()));
        Worker worker =
            Worker.on(db.dataSource())
                .queue(BenchDatabase.QUEUE, 8)
                .handle(
                    EnqueueSingle.NOOP,
                    (payload, task) -> {
                      started.put(System.nanoTime());
                      return Outcome.done();
                    })
                .settings(WorkerSettings.DEFAULT.withSchema(db.schema()))
                .start()) {
      for (int i = -20; i < TASKS; i++) {
        LockSupport.parkNanos(EVERY_NANOS);
        producer.enqueue(EnqueueSingle.task(i));
        long committedAt = System.nanoTime();
        Long startedAt = started.poll(10, TimeUnit.SECONDS);
        if (startedAt == null)
          throw new IllegalStateException("a task was not started within 10 s by " + worker.id());
        if (i >= 0) millis[i] = Math.max(0, (double) (startedAt - committedAt) / 1e6);
      }
    }
    return millis;
  }
}
