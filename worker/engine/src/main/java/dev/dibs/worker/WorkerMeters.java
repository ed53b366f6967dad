package dev.dibs.worker;

import dev.dibs.Labels;
import dev.dibs.NewTask;
import dev.dibs.Task;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The meters of a worker; the README lists them. Their labels are bounded by {@link Labels}.
 *
 * <p>They add up: what was claimed was finished, one way or the other, or lost its lease, or is
 * still held. Thread-safe.
 */
final class WorkerMeters {
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);
  static final String COMPLETED = "succeeded";
  static final String CANCELLED = "cancelled";

  private final MeterRegistry registry;
  private final Labels<KindMeters> kinds;
  private final Labels<Counter> enqueued;
  private final Timer claimDuration;
  private final DistributionSummary claimBatch;
  private final Counter sweeps;
  private final Counter foundBelow;
  private volatile boolean failing;

  WorkerMeters(MeterRegistry registry) {
    this.registry = registry;
    this.kinds = new Labels<>((queue, kind) -> new KindMeters(registry, queue, kind));
    this.enqueued =
        new Labels<>((queue, kind) ->
            Counter.builder("dibs.tasks.enqueued")
                .description("tasks that were put in")
                .tags("queue", queue, "kind", kind)
                .register(registry));
    this.claimDuration =
        KindMeters.timer(
            registry, "dibs.claim.duration", "one exchange with the database", Tags.empty());
    this.claimBatch =
        DistributionSummary.builder("dibs.claim.batch")
            .description("tasks one exchange claimed")
            .register(registry);
    this.sweeps =
        Counter.builder("dibs.floor.sweeps")
            .description("claims that looked below the floors")
            .register(registry);
    this.foundBelow =
        Counter.builder("dibs.floor.found")
            .description("tasks that sweeps found below the floors")
            .register(registry);
    for (String cause : List.of("worker", "orphan")) {
      rescues(cause, "returned");
      rescues(cause, "quarantined");
    }
  }

  /** Shows what may be counted later at zero, where there are not too many of them. */
  void expect(Collection<String> queues, Set<String> served) {
    if ((long) queues.size() * served.size() > Labels.NAMED) return;
    for (String queue : queues) {
      for (String kind : served) {
        measure(() -> kinds.of(queue, kind));
        measure(() -> enqueued.of(queue, kind));
      }
    }
  }

  /** A trip came back with these tasks. */
  void claimed(List<Task> tasks, Trip trip, int below) {
    measure(() -> countClaimed(tasks, trip, below));
  }

  private void countClaimed(List<Task> tasks, Trip trip, int below) {
    claimDuration.record(System.nanoTime() - trip.departedAt(), TimeUnit.NANOSECONDS);
    if (!trip.claims()) return;
    claimBatch.record(tasks.size());
    if (trip.sweep()) sweeps.increment();
    if (below > 0) foundBelow.increment(below);
    for (Task task : tasks) of(task).claimed(task.timing().waited());
  }

  /** Tasks were found that a claim without an answer had taken. */
  void adopted(List<Task> tasks) {
    measure(() -> tasks.forEach(task -> of(task).claimed(task.timing().waited())));
  }

  /** A handler ended. */
  void ran(Task task, String outcome, long nanos) {
    measure(() -> of(task).ran(outcome, nanos));
  }

  /** A task was completed in its handler's transaction. */
  void completed(Task task) {
    measure(() -> of(task).finished(COMPLETED));
  }

  /** A task was cancelled while this process held it. */
  void cancelled(Task task) {
    measure(() -> of(task).finished(CANCELLED));
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

  /** Follow-up tasks were committed with their handler's transaction. */
  void enqueued(List<NewTask<?>> tasks) {
    for (NewTask<?> task : tasks) enqueued(task.options().queue(), task.kind().name(), 1);
  }

  /** Tasks were put in. */
  void enqueued(String queue, String kind, int tasks) {
    if (tasks > 0) measure(() -> enqueued.of(queue, kind).increment(tasks));
  }

  /** Tasks were taken from a dead worker: some are ready again, some are dead. */
  void rescued(String cause, int returned, int quarantined) {
    if (returned > 0) measure(() -> rescues(cause, "returned").increment(returned));
    if (quarantined > 0) measure(() -> rescues(cause, "quarantined").increment(quarantined));
  }

  private Counter rescues(String cause, String outcome) {
    return Counter.builder("dibs.rescued")
        .description("tasks taken from dead workers")
        .tags("cause", cause, "outcome", outcome)
        .register(registry);
  }

  <T> void gauge(String name, String description, T of, ToDoubleFunction<T> value) {
    Gauge.builder(name, of, value).description(description).register(registry);
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

  private KindMeters of(Task task) {
    return kinds.of(task.queue(), task.kind());
  }
}
