package dev.dibs.producer;

import dev.dibs.NewTask;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.transport.SenderContext;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * Observes what is put in: {@code dibs.enqueue}. What a tracer wants carried, such as a {@code
 * traceparent}, goes along in the tasks' headers, unless they have one of that name. Loaded only
 * where a registry was given. Thread-safe.
 */
final class EnqueueTraces {
  private final ObservationRegistry registry;

  EnqueueTraces(ObservationRegistry registry) {
    this.registry = registry;
  }

  boolean areNone() {
    return registry.isNoop();
  }

  /** Observes {@code put}, which is given the tasks as they are to be put in. */
  List<Enqueued> around(List<NewTask<?>> tasks, Function<List<NewTask<?>>, List<Enqueued>> put) {
    Map<String, String> carried = new HashMap<>();
    return Objects.requireNonNull(
        begun(tasks, carried).observe(() -> put.apply(carrying(carried, tasks))));
  }

  /** The same where the answer comes later. */
  CompletableFuture<Enqueued> later(
      NewTask<?> task, Function<NewTask<?>, CompletableFuture<Enqueued>> put) {
    Map<String, String> carried = new HashMap<>();
    Observation observation = begun(List.of(task), carried).start();
    CompletableFuture<Enqueued> answer = put.apply(carrying(carried, List.of(task)).getFirst());
    CompletableFuture<Enqueued> unused =
        answer.whenComplete((enqueued, e) -> {
          if (e != null) observation.error(e);
          observation.stop();
        });
    return answer;
  }

  private Observation begun(List<NewTask<?>> tasks, Map<String, String> carried) {
    var context =
        new SenderContext<Map<String, String>>(
            (carrier, key, value) -> Objects.requireNonNull(carrier).put(key, value));
    context.setCarrier(carried);
    NewTask<?> first = tasks.getFirst();
    return Observation.createNotStarted("dibs.enqueue", () -> context, registry)
        .contextualName("enqueue " + first.kind().name())
        .highCardinalityKeyValue("dibs.queue", first.options().queue())
        .highCardinalityKeyValue("dibs.kind", first.kind().name())
        .highCardinalityKeyValue("dibs.tasks", Integer.toString(tasks.size()));
  }

  private static List<NewTask<?>> carrying(Map<String, String> carried, List<NewTask<?>> tasks) {
    if (carried.isEmpty()) return tasks;
    List<NewTask<?>> all = new ArrayList<>(tasks.size());
    for (NewTask<?> task : tasks) {
      NewTask<?> carrying = task;
      for (var header : carried.entrySet()) {
        if (!task.options().headers().containsKey(header.getKey()))
          carrying = carrying.header(header.getKey(), header.getValue());
      }
      all.add(carrying);
    }
    return all;
  }
}
