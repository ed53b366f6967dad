package dev.dibs.worker;

import dev.dibs.Codec;
import dev.dibs.DatabaseException;
import dev.dibs.LeaseLostException;
import dev.dibs.Task;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
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

  /**
   * A condition for statements of the handler's own; see {@link RunningTask#fence}.
   *
   * @param sql SQL text with a {@code ?} for each value
   * @param values what they stand for, in their order
   */
  public record Fence(String sql, List<Object> values) {
    public Fence {
      values = List.copyOf(values);
    }

    /** Binds the values from parameter {@code first} on; answers the parameter after them. */
    public int bind(PreparedStatement statement, int first) throws SQLException {
      for (int i = 0; i < values.size(); i++) statement.setObject(first + i, values.get(i));
      return first + values.size();
    }
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
   * A condition that is true only while this run holds its task, for statements that the handler
   * runs on connections of its own to the same database: with it in their WHERE, the write of a run
   * that lost its task changes no row.
   *
   * {@snippet :
   * RunningTask.Fence fence = task.fence();
   * var sql = "update account set sent = true where number = ? and " + fence.sql();
   * try (var statement = connection.prepareStatement(sql)) {
   *   statement.setInt(1, number);
   *   fence.bind(statement, 2);
   *   if (statement.executeUpdate() == 0) throw new IllegalStateException("not ours any more");
   * }
   * }
   *
   * <p>It locks the task's row, shared, until the statement's transaction ends: end that before the
   * handler answers, and before {@link #transaction}. The role needs to select from and update the
   * task table.
   */
  public Fence fence() {
    return transactions.fence(task.hold());
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
