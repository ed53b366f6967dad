package dev.dibs.worker;

import dev.dibs.Codec;
import dev.dibs.LeaseLostException;
import dev.dibs.Outcome;
import dev.dibs.Task;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs handlers, each on a virtual thread of its own, and turns what comes of them into outcomes to
 * write. Thread-safe.
 */
final class TaskRunner {
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);

  private final Handlers handlers;
  private final TaskTransactions transactions;
  private final Codec codec;
  private final Ledger ledger;
  private final WorkerMeters meters;
  private final ScheduledExecutorService timer;
  private final Set<RunningTask> running = ConcurrentHashMap.newKeySet();

  TaskRunner(
      Handlers handlers,
      TaskTransactions transactions,
      Codec codec,
      Ledger ledger,
      WorkerMeters meters,
      ScheduledExecutorService timer) {
    this.handlers = handlers;
    this.transactions = transactions;
    this.codec = codec;
    this.ledger = ledger;
    this.meters = meters;
    this.timer = timer;
  }

  /** Starts the handler of {@code task}, for which the ledger gave a slot. */
  void start(Task task) {
    var run = new RunningTask(task, transactions, codec);
    running.add(run);
    Thread.ofVirtual().name("dibs-task-" + task.id()).start(() -> run(run));
  }

  private void run(RunningTask run) {
    Task task = run.task();
    long startedAt = System.nanoTime();
    FinishedRun finished = finish(run);
    long nanos = System.nanoTime() - startedAt;
    running.remove(run);
    meters.ran(task, finished, nanos);
    Task next = ledger.finished(task, finished, nanos);
    if (next != null) start(next);
  }

  /**
   * Runs the handler; null if the run was completed in a transaction and nothing is left to write.
   */
  private @Nullable FinishedRun finish(RunningTask run) {
    Task task = run.task();
    @Nullable Future<?> timeout = null;
    try {
      timeout = task.timing().timeout().map(limit -> stopAfter(run, limit)).orElse(null);
      run.startOn(Thread.currentThread());
      Outcome outcome = handlers.run(codec, task, run);
      if (run.isCompleted()) return completed(run, outcome);
      return FinishedRun.of(task, outcome, null);
    } catch (Throwable e) {
      if (run.isCompleted()) return completed(run, Outcome.retry(TaskError.message(e)));
      return failed(run, e);
    } finally {
      if (timeout != null) timeout.cancel(false);
    }
  }

  private Future<?> stopAfter(RunningTask run, Duration limit) {
    return timer.schedule(
        () -> run.stop(RunningTask.Stop.TIMEOUT), limit.toNanos(), TimeUnit.NANOSECONDS);
  }

  private static @Nullable FinishedRun completed(RunningTask run, Outcome outcome) {
    if (!(outcome instanceof Outcome.Done)) {
      LOG.warn(
          "task {} of kind {} was completed in its transaction; what its handler then answered comes too late: {}",
          run.id(),
          run.kind(),
          outcome.getClass().getSimpleName());
    }
    return null;
  }

  private static FinishedRun failed(RunningTask run, Throwable e) {
    Task task = run.task();
    RunningTask.Stop stop = run.stopReason();
    if (e instanceof LeaseLostException || (stop != null && stop != RunningTask.Stop.TIMEOUT)) {
      return FinishedRun.released(task);
    }
    String message =
        stop == RunningTask.Stop.TIMEOUT
            ? "timed out after " + task.timing().timeout().orElseThrow()
            : TaskError.message(e);
    return FinishedRun.of(task, Outcome.retry(message), e);
  }

  /** Interrupts every handler. */
  void stopAll(RunningTask.Stop reason) {
    running.forEach(run -> run.stop(reason));
  }

  /** Gives back the tasks of handlers that do not end; what they still do, their leases refuse. */
  int abandonAll() {
    int abandoned = 0;
    for (RunningTask run : running) {
      ledger.write(FinishedRun.released(run.task()));
      abandoned++;
    }
    return abandoned;
  }
}
