package dev.dibs.producer;

import dev.dibs.Labels;
import dev.dibs.NewTask;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;

/**
 * Counts what was put in: {@code dibs.tasks.enqueued}. Loaded only where a registry was given.
 * Thread-safe.
 */
final class EnqueueMeters {
  private final Labels<Counter> enqueued;

  EnqueueMeters(MeterRegistry registry) {
    this.enqueued =
        new Labels<>((queue, kind) ->
            Counter.builder("dibs.tasks.enqueued")
                .description("tasks that were put in")
                .tags("queue", queue, "kind", kind)
                .register(registry));
  }

  void count(NewTask<?> task) {
    enqueued.of(task.options().queue(), task.kind().name()).increment();
  }
}
