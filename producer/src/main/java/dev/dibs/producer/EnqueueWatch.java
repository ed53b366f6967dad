package dev.dibs.producer;

import dev.dibs.NewTask;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What sees the tasks that a producer puts in; see {@link ProducerSettings#withMetrics} and {@link
 * ProducerSettings#withObservations}. Nothing of Micrometer is loaded until one of them is called.
 * Thread-safe.
 */
public final class EnqueueWatch {
  /** Nobody looks. */
  public static final EnqueueWatch NONE = new EnqueueWatch(null, null);

  private static final Logger LOG = LoggerFactory.getLogger(EnqueueWatch.class);

  private final @Nullable EnqueueMeters meters;
  private final @Nullable EnqueueTraces traces;
  private volatile boolean failing;

  private EnqueueWatch(@Nullable EnqueueMeters meters, @Nullable EnqueueTraces traces) {
    this.meters = meters;
    this.traces = traces;
  }

  EnqueueWatch with(EnqueueMeters meters) {
    return new EnqueueWatch(meters, traces);
  }

  EnqueueWatch with(EnqueueTraces traces) {
    return new EnqueueWatch(meters, traces.areNone() ? null : traces);
  }

  /** Puts tasks in by {@code put}, whose answers have the order of the tasks. */
  List<Enqueued> around(List<NewTask<?>> tasks, Function<List<NewTask<?>>, List<Enqueued>> put) {
    return counted(tasks, traces == null ? put.apply(tasks) : traces.around(tasks, put));
  }

  /** Puts a task in by {@code put}, which answers later. */
  CompletableFuture<Enqueued> later(
      NewTask<?> task, Function<NewTask<?>, CompletableFuture<Enqueued>> put) {
    CompletableFuture<Enqueued> answer = traces == null ? put.apply(task) : traces.later(task, put);
    if (meters == null) return answer;
    CompletableFuture<Void> unused = answer.thenAccept(enqueued -> count(task, enqueued));
    return answer;
  }

  private List<Enqueued> counted(List<NewTask<?>> tasks, List<Enqueued> answers) {
    if (meters != null) for (int i = 0; i < tasks.size(); i++) count(tasks.get(i), answers.get(i));
    return answers;
  }

  /** The registry is the user's: what its filters throw must not look like a failed enqueue. */
  private void count(NewTask<?> task, Enqueued answer) {
    if (meters == null || !answer.inserted()) return;
    try {
      meters.count(task);
    } catch (RuntimeException e) {
      if (!failing) LOG.warn("the meter registry throws, enqueued tasks are not counted", e);
      failing = true;
    }
  }
}
