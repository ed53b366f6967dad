package dev.dibs.worker;

import dev.dibs.LeaseLostException;
import dev.dibs.Outcome;
import dev.dibs.Task;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs handlers, each on a virtual thread of its own, and turns what comes of them into outcomes to
 * write.
 *
 * <p>A run ends once: by its handler's end, or given up when it was told to stop and did not.
 * Thread-safe.
 */
final class TaskRunner {
  /** That all runs were told to stop: for the {@code count}-th time. */
  private record StoppedAll(long count, RunningTask.Stop reason) {}

  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);

  /** What could not be started here and now is given back for so long. */
  private static final Duration AWHILE = Duration.ofSeconds(1);

  private final HandlerCalls calls;
  private final Ledger ledger;
  private final WorkerMeters meters;
  private final RunTimer timer;
  private final ThreadFactory threads;
  private final Set<RunningTask> running = ConcurrentHashMap.newKeySet();
  private volatile StoppedAll stoppedAll = new StoppedAll(0, RunningTask.Stop.SHUTDOWN);

  TaskRunner(
      HandlerCalls calls,
      Ledger ledger,
      WorkerMeters meters,
      RunTimer timer,
      ThreadFactory threads) {
    this.calls = calls;
    this.ledger = ledger;
    this.meters = meters;
    this.timer = timer;
    this.threads = threads;
  }

  /**
   * Starts the handlers of the tasks for which {@code slots} gets slots from the ledger.
   *
   * <p>Between the ledger's answer and a run's entry among the running nobody could tell it to
   * stop. So whoever was told before the slots were asked for is compared with who is told when the
   * run has been entered: a stop of all in between is this run's too.
   */
  void startAll(Supplier<List<Task>> slots) {
    StoppedAll before = stoppedAll;
    for (Task task : slots.get()) start(task, before);
  }

  /** Starts a task; what cannot be started is given back, and the next in its slot is started. */
  private void start(Task task, StoppedAll before) {
    @Nullable Task next = task;
    while (next != null && !isStarted(next, before)) {
      next = ledger.finished(next, FinishedRun.released(next, AWHILE), 0);
    }
  }

  private boolean isStarted(Task task, StoppedAll before) {
    @Nullable RunningTask run = null;
    try {
      run = calls.open(task);
      RunningTask entered = run;
      running.add(entered);
      StoppedAll now = stoppedAll;
      if (now.count() != before.count()) stop(entered, now.reason());
      Thread thread = threads.newThread(() -> run(entered));
      thread.setName("dibs-task-" + task.id());
      thread.start();
      return true;
    } catch (Throwable e) { // out of memory or threads: the rest of the claim must not be lost
      if (run != null) running.remove(run);
      LOG.error("task {} could not be started and is given back", task.id(), e);
      return false;
    }
  }

  private void run(RunningTask run) {
    long startedAt = System.nanoTime();
    @Nullable FinishedRun finished = finish(run);
    long nanos = System.nanoTime() - startedAt;
    running.remove(run);
    StoppedAll before = stoppedAll;
    boolean givenUp = !run.settle();
    @Nullable Task next =
        givenUp ? ledger.unstuck(run.task()) : ledger.finished(run.task(), finished, nanos);
    if (next != null) start(next, before);
    if (givenUp)
      LOG.warn("task {} of kind {} has ended after it was given up", run.id(), run.kind());
    else meters.ran(run.task(), label(run, finished), nanos);
    if (finished == null && !givenUp) countUnwritten(run);
  }

  private static String label(RunningTask run, @Nullable FinishedRun finished) {
    if (finished != null) return finished.label();
    return run.isCompleted() ? WorkerMeters.COMPLETED : WorkerMeters.CANCELLED;
  }

  /** A run after which nothing is left to write has ended its task itself, or somebody else did. */
  private void countUnwritten(RunningTask run) {
    if (run.isCompleted()) meters.completed(run.task());
    else meters.cancelled(run.task());
  }

  /**
   * Runs the handler; null if nothing is left to write: the run was completed in a transaction, or
   * its task was cancelled.
   */
  private @Nullable FinishedRun finish(RunningTask run) {
    @Nullable Future<?> timeout = null;
    try {
      // Told to stop before it began: whatever its handler would do, it would be too late.
      if (run.isInterrupted()) return failed(run, new InterruptedException());
      timeout =
          run.task()
              .timing()
              .timeout()
              .map(limit -> timer.after(limit, () -> stop(run, RunningTask.Stop.TIMEOUT)))
              .orElse(null);
      run.startOn(Thread.currentThread());
      return outcome(run);
    } catch (Throwable e) { // not even what went wrong can be told
      return FinishedRun.of(run.task(), Outcome.retry(e.getClass().getName()), null);
    } finally {
      if (timeout != null) timeout.cancel(false);
      run.over();
    }
  }

  private @Nullable FinishedRun outcome(RunningTask run) {
    try {
      Outcome outcome =
          Objects.requireNonNull(
              calls.call(run), "the handler answered null; answer Outcome.done()");
      if (run.isCompleted()) return completed(run, outcome);
      return run.stopReason() == RunningTask.Stop.CANCELLED
          ? null
          : FinishedRun.of(run.task(), outcome, null);
    } catch (Throwable e) {
      if (!run.isCompleted()) return failed(run, e);
      // It can be kept nowhere else: the task has ended.
      LOG.warn(
          "task {} of kind {} was completed in its transaction; what its handler threw then changes nothing",
          run.id(),
          run.kind(),
          e);
      return null;
    }
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

  private static @Nullable FinishedRun failed(RunningTask run, Throwable e) {
    Task task = run.task();
    RunningTask.Stop stop = run.stopReason();
    if (stop == RunningTask.Stop.CANCELLED) return null;
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
    synchronized (this) {
      stoppedAll = new StoppedAll(stoppedAll.count() + 1, reason);
    }
    running.forEach(run -> stop(run, reason));
  }

  /** The task of this run was cancelled: interrupts its handler, if it is here. */
  void cancel(Task.Hold cancelled) {
    for (RunningTask run : running) {
      if (run.task().hold().equals(cancelled)) stop(run, RunningTask.Stop.CANCELLED);
    }
  }

  /** The runs that have gone on since before {@code time} and are not ending by themselves. */
  List<RunningTask> runningSince(long time) {
    return running.stream()
        .filter(run -> run.startedAt() - time < 0 && !run.isCompleting() && !run.isInterrupted())
        .toList();
  }

  /** What the runs under way hold. */
  Set<Task.Hold> holds() {
    return running.stream()
        .map(run -> run.task().hold())
        .collect(java.util.stream.Collectors.toSet());
  }

  /** The run holds its task no more, as the database said after the run was asked for. */
  void lost(RunningTask run, boolean cancelled) {
    // Had it completed its task before the database was asked, it would say so by now.
    if (!run.isCompleting())
      stop(run, cancelled ? RunningTask.Stop.CANCELLED : RunningTask.Stop.LEASE_LOST);
  }

  /** Interrupts the handler; if that does not end it within the grace, its run is given up. */
  private void stop(RunningTask run, RunningTask.Stop reason) {
    if (run.stop(reason)) run.until(timer.after(timer.interruptGrace(), () -> giveUp(run)));
  }

  private void giveUp(RunningTask run) {
    if (!run.settle()) return;
    Task task = run.task();
    StackTraceElement[] where = run.stackTrace();
    StoppedAll before = stoppedAll;
    @Nullable FinishedRun given = givenUp(run, where);
    @Nullable Task next = ledger.stuck(task, given);
    if (given == null) countUnwritten(run);
    boolean clogged = ledger.isClogged();
    LOG.error(
        "task {} of kind {} was told to stop ({}) and did not within {}; it is given up and {}. It is at{}",
        run.id(),
        run.kind(),
        run.stopReason(),
        timer.interruptGrace(),
        clogged
            ? "its slot stays taken, for as many runs are stuck as queue '%s' may run at once"
                .formatted(run.queue())
            : "its slot opened again",
        lines(where));
    meters.stuck(task);
    if (next != null) start(next, before);
  }

  /** What is written about a run that does not end; null if there is nothing to write. */
  private static @Nullable FinishedRun givenUp(RunningTask run, StackTraceElement[] where) {
    RunningTask.Stop stop = run.stopReason();
    if (run.isCompleted() || stop == RunningTask.Stop.CANCELLED) return null;
    if (stop != RunningTask.Stop.TIMEOUT) return FinishedRun.released(run.task());
    String message =
        "timed out after %s and did not stop"
            .formatted(run.task().timing().timeout().orElseThrow());
    var evidence = new java.util.concurrent.TimeoutException(message);
    evidence.setStackTrace(where);
    return FinishedRun.of(run.task(), Outcome.retry(message), evidence);
  }

  private static String lines(StackTraceElement[] where) {
    var text = new StringBuilder();
    for (StackTraceElement frame : where) text.append("\n\tat ").append(frame);
    return text.toString();
  }

  /** Gives back the tasks of handlers that do not end; what they still do, their leases refuse. */
  int abandonAll() {
    int abandoned = 0;
    for (RunningTask run : running) {
      if (!run.settle()) continue;
      boolean completed = run.isCompleted();
      ledger.stuck(run.task(), completed ? null : FinishedRun.released(run.task()));
      if (completed) meters.completed(run.task());
      abandoned++;
    }
    return abandoned;
  }
}
