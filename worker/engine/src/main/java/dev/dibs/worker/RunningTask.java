package dev.dibs.worker;

import dev.dibs.Codec;
import dev.dibs.DatabaseException;
import dev.dibs.LeaseLostException;
import dev.dibs.Task;
import java.sql.SQLException;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The task a handler is running: what it is, and the ways to end it together with the handler's own
 * writes.
 *
 * <p>Used by the handler's thread; {@link #isInterrupted} may be asked from any.
 */
public final class RunningTask {
  /** Why a run was told to stop. */
  enum Stop {
    TIMEOUT,
    SHUTDOWN,
    LEASE_LOST,
    CANCELLED
  }

  /** What a handler does in a transaction. */
  @FunctionalInterface
  public interface Work<R> {
    R run(TaskTransaction transaction) throws Exception;
  }

  /** What a handler does in a transaction, without an answer. */
  @FunctionalInterface
  public interface VoidWork {
    void run(TaskTransaction transaction) throws Exception;
  }

  private final Task task;
  private final TaskTransactions transactions;
  private final Codec codec;
  private final AtomicReference<@Nullable Stop> stop = new AtomicReference<>();
  private final AtomicBoolean settled = new AtomicBoolean();
  private final long startedAt = System.nanoTime();
  private volatile boolean completing;
  private volatile boolean completed;
  private volatile @Nullable Thread thread;
  private @Nullable Future<?> grace;
  private boolean over;

  RunningTask(Task task, TaskTransactions transactions, Codec codec) {
    this.task = task;
    this.transactions = transactions;
    this.codec = codec;
  }

  public UUID id() {
    return task.id();
  }

  public String kind() {
    return task.kind();
  }

  public String queue() {
    return task.queue();
  }

  /** How often the task was started, this run included: from 1, only growing. */
  public int attempt() {
    return task.tries().attempt();
  }

  /** How many earlier attempts failed. */
  public int failures() {
    return task.tries().failures();
  }

  /** How many earlier attempts lost their worker. */
  public int losses() {
    return task.tries().losses();
  }

  /** The headers the task was enqueued with. */
  public Map<String, String> headers() {
    String headers = task.content().headers();
    if (headers.isEmpty()) return Map.of();
    Map<?, ?> decoded = codec.decode(headers, Map.class);
    return decoded.entrySet().stream()
        .collect(
            java.util.stream.Collectors.toUnmodifiableMap(
                e -> String.valueOf(e.getKey()), e -> String.valueOf(e.getValue())));
  }

  /**
   * A key for the outside world that is the same in every attempt, and another for every step of
   * the task.
   */
  public String idempotencyKey(String step) {
    return task.id() + ":" + step;
  }

  /**
   * Whether the run was told to stop: by shutdown, its timeout, a cancellation, or because it lost
   * its lease.
   */
  public boolean isInterrupted() {
    return stop.get() != null;
  }

  /**
   * Asks the database whether this run still holds its task, for use before an effect outside it.
   *
   * @throws LeaseLostException if it does not
   * @throws DatabaseException if the database cannot answer
   */
  public void checkHeld() {
    try {
      if (!transactions.isHeld(task.hold()))
        throw new LeaseLostException(id(), task.hold().lease());
    } catch (SQLException e) {
      throw new DatabaseException("whether task %s is held could not be read".formatted(id()), e);
    }
  }

  /**
   * Runs {@code work} in a transaction that also completes the task: both happen, or neither.
   *
   * <p>Afterwards the task is done and the handler's outcome must be done. If {@code work} throws,
   * everything is rolled back and the task is still running.
   *
   * @throws LeaseLostException if the run had lost its task; everything was rolled back
   * @throws IllegalStateException if the task was completed already
   */
  public void transaction(VoidWork work) throws Exception {
    transactionResult(transaction -> {
      work.run(transaction);
      return true;
    });
  }

  /** As {@link #transaction}, and answers what {@code work} answers. */
  public <R> R transactionResult(Work<R> work) throws Exception {
    if (completed) throw new IllegalStateException("task " + id() + " was completed already");
    try {
      R result =
          transactions.run(
              task.hold(),
              transaction -> {
                R answer = work.run(transaction);
                completing = true; // from here on that the lease is gone may be our own doing
                return answer;
              });
      completed = true;
      return result;
    } finally {
      completing = completed;
    }
  }

  boolean isCompleted() {
    return completed;
  }

  Task task() {
    return task;
  }

  /** Whether the run itself may be about to give up its lease. */
  boolean isCompleting() {
    return completing;
  }

  long startedAt() {
    return startedAt;
  }

  @Nullable Stop stopReason() {
    return stop.get();
  }

  /** Called by the run's thread before the handler. */
  void startOn(Thread runner) {
    thread = runner;
    if (stop.get() != null) runner.interrupt();
  }

  /** Tells the run to stop; the first reason stays. Answers whether this was the first. */
  boolean stop(Stop reason) {
    if (!stop.compareAndSet(null, reason)) return false;
    Thread runner = thread;
    if (runner != null) runner.interrupt();
    return true;
  }

  /**
   * Claims the right to say what came of the run: its own end has it, or who gives it up. Answers
   * whether nobody had it before.
   */
  boolean settle() {
    return settled.compareAndSet(false, true);
  }

  /** {@code grace} wakes somebody unless the run is over before. */
  synchronized void until(Future<?> grace) {
    if (over) grace.cancel(false);
    else this.grace = grace;
  }

  /** The handler has ended. */
  synchronized void over() {
    over = true;
    if (grace != null) grace.cancel(false);
  }

  /** Where the run's thread is at this moment; nowhere before it started. */
  StackTraceElement[] stackTrace() {
    Thread runner = thread;
    return runner == null ? new StackTraceElement[0] : runner.getStackTrace();
  }
}
