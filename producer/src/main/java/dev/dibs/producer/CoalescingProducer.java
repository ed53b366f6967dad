package dev.dibs.producer;

import dev.dibs.DibsException;
import dev.dibs.NewTask;
import dev.dibs.sql.Bell;
import java.util.concurrent.CompletableFuture;
import javax.sql.DataSource;

/**
 * Enqueues the tasks of many threads in few commits: whatever came in while the previous commits
 * were under way goes along with the next one. Nobody waits for company.
 *
 * <p>Worth it where many threads enqueue one task each; for a collection, or in a transaction, use
 * {@link Producer}. Workers are told after each commit. Give it a connection pool: each commit
 * takes a connection and returns it. Thread-safe.
 */
public final class CoalescingProducer implements AutoCloseable {
  private final EnqueueWatch watch;
  private final TaskEncoder encoder;
  private final WaitingRoom room;
  private final BellRinger ringer;
  private final Surrounding surrounding;

  private CoalescingProducer(
      CoalescingSettings settings, WaitingRoom room, BellRinger ringer, Surrounding surrounding) {
    this.watch = settings.producer().watch();
    this.encoder = new TaskEncoder(settings.producer());
    this.room = room;
    this.ringer = ringer;
    this.surrounding = surrounding;
  }

  /** A coalescing producer with the usual settings, whose threads run until it is closed. */
  public static CoalescingProducer on(DataSource dataSource) {
    return on(dataSource, CoalescingSettings.DEFAULT);
  }

  public static CoalescingProducer on(DataSource dataSource, CoalescingSettings settings) {
    var schema = settings.producer().schema();
    var room = new WaitingRoom(settings);
    var ringer = new BellRinger(dataSource, new Bell(schema), settings.producer().bellInterval());
    var committer = new Committer(room, new OwnConnection(dataSource), Inserts.of(schema), ringer);
    for (int i = 1; i <= settings.commitsInFlight(); i++)
      Thread.ofPlatform().daemon().name("dibs-commit-" + i).start(committer);
    return new CoalescingProducer(settings, room, ringer, new Surrounding(dataSource));
  }

  /**
   * Enqueues one task with the next commit; it is durable when the answer is there. Blocks only
   * while the settings' capacity is exhausted, and at most as long as their patience.
   *
   * <p>The answer never fails for another caller's task. It fails with
   *
   * <ul>
   *   <li>{@link dev.dibs.PayloadException} if the payload cannot be kept; nothing was enqueued
   *   <li>{@link dev.dibs.EnqueueUnknownException} if the connection broke meanwhile: enqueue the
   *       same task again
   *   <li>{@link dev.dibs.DatabaseException} if the database refused; nothing was enqueued
   *   <li>{@link DibsException} if no place became free in time, the thread was interrupted while
   *       it waited for one, or {@code close} lost patience; nothing was enqueued
   *   <li>{@link IllegalStateException} if this producer is closed; nothing was enqueued
   * </ul>
   *
   * <p>Steps that hang on to the answer run on a thread that serves the answers of one commit; let
   * long ones run elsewhere ({@code thenRunAsync}). Cancelling the answer does not call the task
   * back.
   */
  public CompletableFuture<Enqueued> enqueue(NewTask<?> task) {
    return watch.later(task, this::enter);
  }

  private CompletableFuture<Enqueued> enter(NewTask<?> task) {
    try {
      surrounding.warnIfOpen();
      var waiting = new WaitingTask(encoder.encode(task));
      room.enter(waiting);
      return waiting.answer();
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /**
   * Refuses further tasks, commits and answers those that were accepted, then rings for workers.
   * Waits as long as the settings' patience; tasks whose commit has not begun by then fail. An
   * interrupt ends the patience and is kept. The data source stays open.
   */
  @Override
  public void close() {
    try {
      room.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    for (WaitingTask task : room.abandon()) {
      task.answer()
          .completeExceptionally(
              new DibsException(
                  "the producer was closed before the database took the task; it was not enqueued"));
    }
    ringer.close();
  }
}
