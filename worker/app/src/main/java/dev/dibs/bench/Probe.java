package dev.dibs.bench;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.Outcome;
import dev.dibs.producer.Producer;
import dev.dibs.worker.Worker;
import dev.dibs.worker.WorkerSettings;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;

/**
 * A worker and a producer, and a task every 50 ms: from the commit of its enqueue to the start of
 * its handler. One is under way at a time. Owned by one thread.
 */
final class Probe implements AutoCloseable {
  static final Duration EVERY = Duration.ofMillis(50);
  private static final Kind<Json> PROBE = Kind.json("probe");
  private static final int FIRST_UNCOUNTED = 5;

  private final BenchDatabase db;
  private final SynchronousQueue<Long> started = new SynchronousQueue<>();
  private final ConnectionPerThread pool;
  private final Producer producer;
  private final Worker worker;

  Probe(BenchDatabase db) throws Exception {
    this(db, new SimpleMeterRegistry());
  }

  /** The same, whose worker is metered. */
  Probe(BenchDatabase db, MeterRegistry meters) throws Exception {
    this.db = db;
    this.pool = new ConnectionPerThread(db, 2);
    this.producer = pool.producer();
    this.worker =
        InProcess.builder(db, WorkerSettings.DEFAULT)
            .metrics(meters)
            .handle(
                PROBE,
                (payload, task) -> {
                  started.put(System.nanoTime());
                  return Outcome.done();
                })
            .start();
  }

  /** For load beside the probes, on the same pool. */
  Producer producerOfLoad() {
    return Producer.on(pool, pool.settings());
  }

  long[] nanos(int count) throws InterruptedException {
    long[] nanos = new long[count];
    for (int i = -FIRST_UNCOUNTED; i < count; i++) {
      long took = next(i);
      if (i >= 0) nanos[i] = took;
    }
    return nanos;
  }

  /** Waits a little and measures one. */
  long next(int number) throws InterruptedException {
    Await.pause(EVERY);
    producer.enqueue(Tasks.task(PROBE, number));
    long committedAt = System.nanoTime();
    Long startedAt = started.poll(10, TimeUnit.SECONDS);
    if (startedAt == null)
      throw new IllegalStateException(
          "a task in %s was not started within 10 s by %s"
              .formatted(db.schema().name(), worker.id()));
    return Math.max(0, startedAt - committedAt);
  }

  @Override
  public void close() {
    worker.close();
    producer.close();
    pool.close();
  }
}
