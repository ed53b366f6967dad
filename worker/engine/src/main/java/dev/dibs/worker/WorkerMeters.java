package dev.dibs.worker;

import dev.dibs.Task;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
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
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);
  static final String COMPLETED = "succeeded";

  private final MeterRegistry registry;
  private final Map<String, Map<String, KindMeters>> byQueueAndKind = new ConcurrentHashMap<>();
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
    for (Task task : tasks) of(task).claimed(task.timing().waited());
  }

  /** A handler ended. */
  void ran(Task task, String outcome, long nanos) {
    measure(() -> of(task).ran(outcome, nanos));
  }

  /** A task was completed in its handler's transaction. */
  void completed(Task task) {
    measure(() -> of(task).finished(COMPLETED));
  }

  /** A handler was told to stop and did not. */
  void stuck(Task task) {
    measure(() -> of(task).stuck());
  }

  /** An outcome was written. */
  void finished(FinishedRun run) {
    measure(() -> of(run.task()).finished(run.label()));
  }

  /** An outcome was refused: the run had lost its lease. */
  void refused(FinishedRun run) {
    measure(() -> of(run.task()).leaseLost());
  }

  /** Whether an outcome was written could not be found out. */
  void unknown(FinishedRun run) {
    measure(() -> of(run.task()).finished("unknown"));
  }

  void rescued(String cause, int tasks) {
    if (tasks > 0) measure(() -> registry.counter("dibs.rescued", "cause", cause).increment(tasks));
  }

  void gauge(String name, Ledger ledger, ToDoubleFunction<Ledger> value) {
    Gauge.builder(name, ledger, value).register(registry);
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

  /** Looked up by plain gets: this runs several times a task. */
  private KindMeters of(Task task) {
    Map<String, KindMeters> byKind = byQueueAndKind.get(task.queue());
    KindMeters meters = byKind == null ? null : byKind.get(task.kind());
    return meters != null
        ? meters
        : byQueueAndKind
            .computeIfAbsent(task.queue(), queue -> new ConcurrentHashMap<>())
            .computeIfAbsent(task.kind(), kind -> new KindMeters(registry, task.queue(), kind));
  }
}
