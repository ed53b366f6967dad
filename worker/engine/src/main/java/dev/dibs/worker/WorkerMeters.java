package dev.dibs.worker;

import dev.dibs.Task;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The meters of a worker. Their labels are queues, kinds and outcomes of this process, which are
 * few: only kinds with a handler are claimed. Thread-safe.
 */
final class WorkerMeters {
  private record Key(String meter, String queue, String kind, String outcome) {}

  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);
  static final String COMPLETED = "succeeded";

  private final MeterRegistry registry;
  private final Map<Key, Counter> counters = new ConcurrentHashMap<>();
  private final Map<Key, Timer> timers = new ConcurrentHashMap<>();
  private final Timer claimDuration;
  private final DistributionSummary claimBatch;
  private volatile boolean failing;

  WorkerMeters(MeterRegistry registry) {
    this.registry = registry;
    this.claimDuration =
        Timer.builder("dibs.claim.duration")
            .description("one exchange with the database")
            .register(registry);
    this.claimBatch =
        DistributionSummary.builder("dibs.claim.batch")
            .description("tasks one exchange claimed")
            .register(registry);
  }

  void claimed(List<Task> tasks, Trip trip) {
    measure(() -> countClaimed(tasks, trip));
  }

  private void countClaimed(List<Task> tasks, Trip trip) {
    claimDuration.record(System.nanoTime() - trip.departedAt(), TimeUnit.NANOSECONDS);
    if (!trip.claims()) return;
    claimBatch.record(tasks.size());
    for (Task task : tasks) {
      counter(new Key("dibs.tasks.claimed", task.queue(), task.kind(), "")).increment();
      timer(new Key("dibs.task.wait", task.queue(), task.kind(), ""))
          .record(task.timing().waited());
    }
  }

  /** A handler ended. */
  void ran(Task task, String outcome, long nanos) {
    measure(() ->
        timer(new Key("dibs.task.run", task.queue(), task.kind(), outcome))
            .record(Duration.ofNanos(nanos)));
  }

  /** A task was completed in its handler's transaction. */
  void completed(Task task) {
    count("dibs.tasks.finished", task, COMPLETED);
  }

  /** A handler was told to stop and did not. */
  void stuck(Task task) {
    count("dibs.runs.stuck", task, "");
  }

  /** An outcome was written. */
  void finished(FinishedRun run) {
    count("dibs.tasks.finished", run.task(), run.label());
  }

  /** An outcome was refused: the run had lost its lease. */
  void refused(FinishedRun run) {
    count("dibs.lease.lost", run.task(), "");
  }

  /** Whether an outcome was written could not be found out. */
  void unknown(FinishedRun run) {
    count("dibs.tasks.finished", run.task(), "unknown");
  }

  void rescued(String cause, int tasks) {
    if (tasks > 0) measure(() -> registry.counter("dibs.rescued", "cause", cause).increment(tasks));
  }

  void gauge(String name, Ledger ledger, ToDoubleFunction<Ledger> value) {
    Gauge.builder(name, ledger, value).register(registry);
  }

  private void count(String meter, Task task, String outcome) {
    measure(() -> counter(new Key(meter, task.queue(), task.kind(), outcome)).increment());
  }

  /** The registry is the user's, and so are its filters: what they throw must cost no task. */
  private void measure(Runnable measurement) {
    try {
      measurement.run();
    } catch (RuntimeException e) {
      if (!failing) LOG.warn("the meter registry throws, some meters will be missing", e);
      failing = true;
    }
  }

  private Counter counter(Key key) {
    return counters.computeIfAbsent(key, k -> registry.counter(k.meter(), tags(k)));
  }

  private Timer timer(Key key) {
    return timers.computeIfAbsent(
        key,
        k ->
            Timer.builder(k.meter()).tags(tags(k)).publishPercentileHistogram().register(registry));
  }

  private static String[] tags(Key key) {
    return key.outcome().isEmpty()
        ? new String[] {"queue", key.queue(), "kind", key.kind()}
        : new String[] {"queue", key.queue(), "kind", key.kind(), "outcome", key.outcome()};
  }
}
