package dev.dibs.worker;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * The meters of the tasks of one kind in one queue. What an alert looks at is there from the
 * beginning, at zero: of a counter that appears with its first event nobody sees it rise.
 * Thread-safe.
 */
final class KindMeters {
  /**
   * Where the histograms are cut, in milliseconds: from a bare dispatch to a backlog of an hour.
   */
  private static final Duration[] BUCKETS =
      List.of(
              1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000,
              300_000, 900_000, 3_600_000)
          .stream()
          .map(Duration::ofMillis)
          .toArray(Duration[]::new);

  private final MeterRegistry registry;
  private final Tags tags;
  private final Map<String, Timer> runs = new ConcurrentHashMap<>();
  private final Map<String, Counter> finished = new ConcurrentHashMap<>();
  private final Counter claimed;
  private final Counter leaseLost;
  private final Counter stuck;
  private final Timer waits;

  KindMeters(MeterRegistry registry, String queue, String kind) {
    this.registry = registry;
    this.tags = Tags.of("queue", queue, "kind", kind);
    this.claimed =
        Counter.builder("dibs.tasks.claimed")
            .description("tasks this process took")
            .tags(tags)
            .register(registry);
    this.leaseLost =
        Counter.builder("dibs.lease.lost")
            .description("outcomes that were refused: the task was in other hands")
            .tags(tags)
            .register(registry);
    this.stuck =
        Counter.builder("dibs.runs.stuck")
            .description("runs that were told to stop, did not, and were given up")
            .tags(tags)
            .register(registry);
    this.waits = timer(registry, "dibs.task.wait", "from when a task could run to its claim", tags);
    finishes("succeeded");
    finishes("dead");
  }

  static Timer timer(MeterRegistry registry, String name, String description, Tags tags) {
    return Timer.builder(name)
        .description(description)
        .tags(tags)
        .serviceLevelObjectives(BUCKETS)
        .register(registry);
  }

  void claimed(Duration waited) {
    claimed.increment();
    waits.record(waited);
  }

  void ran(String outcome, long nanos) {
    Timer timer = runs.get(outcome);
    if (timer == null) {
      timer =
          runs.computeIfAbsent(
              outcome,
              o ->
                  timer(
                      registry, "dibs.task.run", "how long a handler ran", tags.and("outcome", o)));
    }
    timer.record(nanos, TimeUnit.NANOSECONDS);
  }

  void finished(String outcome) {
    Counter counter = finished.get(outcome);
    if (counter == null) counter = finishes(outcome);
    counter.increment();
  }

  private Counter finishes(String outcome) {
    return finished.computeIfAbsent(
        outcome,
        o ->
            Counter.builder("dibs.tasks.finished")
                .description("claims that came to an end, by how")
                .tags(tags.and("outcome", o))
                .register(registry));
  }

  void stuck() {
    stuck.increment();
  }

  void leaseLost() {
    leaseLost.increment();
  }
}
