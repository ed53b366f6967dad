package dev.dibs.worker;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** The meters of the tasks of one kind in one queue. Thread-safe. */
final class KindMeters {
  private final MeterRegistry registry;
  private final Tags tags;
  private final Map<String, Timer> runs = new ConcurrentHashMap<>();
  private final Map<String, Counter> finished = new ConcurrentHashMap<>();
  private final Counter claimed;
  private final Timer waits;

  KindMeters(MeterRegistry registry, String queue, String kind) {
    this.registry = registry;
    this.tags = Tags.of("queue", queue, "kind", kind);
    this.claimed = registry.counter("dibs.tasks.claimed", tags);
    this.waits = timer("dibs.task.wait", tags);
  }

  private Timer timer(String name, Tags tags) {
    return Timer.builder(name).tags(tags).publishPercentileHistogram().register(registry);
  }

  void claimed(Duration waited) {
    claimed.increment();
    waits.record(waited);
  }

  void ran(String outcome, long nanos) {
    Timer timer = runs.get(outcome);
    if (timer == null) {
      timer = runs.computeIfAbsent(outcome, o -> timer("dibs.task.run", tags.and("outcome", o)));
    }
    timer.record(nanos, TimeUnit.NANOSECONDS);
  }

  void finished(String outcome) {
    Counter counter = finished.get(outcome);
    if (counter == null) {
      counter =
          finished.computeIfAbsent(
              outcome, o -> registry.counter("dibs.tasks.finished", tags.and("outcome", o)));
    }
    counter.increment();
  }

  void stuck() {
    registry.counter("dibs.runs.stuck", tags).increment();
  }

  void leaseLost() {
    registry.counter("dibs.lease.lost", tags).increment();
  }
}
