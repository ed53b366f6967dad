package dev.dibs.producer;

import dev.dibs.DibsException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Where tasks wait for the next commit, first come, first served. Callers enter, committers take.
 *
 * <p>The lock guards all fields that change. What has entered is either answered by a committer or
 * handed out by {@link #abandon}.
 */
final class WaitingRoom {
  /** Bounds what one statement carries, in chars. */
  private static final int BATCH_CHARS = 4 << 20;

  /** A commit that takes longer is not waited for: it may hang on somebody's lock. */
  private static final Duration LONGEST_WAIT = Duration.ofMillis(20);

  private final int largestBatch;
  private final int capacity;
  private final Duration patience;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition batchIsReady = lock.newCondition();
  private final Condition placeIsFree = lock.newCondition();
  private final Condition allAreAnswered = lock.newCondition();
  private final Queue<WaitingTask> waiting = new ArrayDeque<>();
  private int committing;
  private int unanswered;
  private boolean closed;

  WaitingRoom(CoalescingSettings settings) {
    this.largestBatch = settings.largestBatch();
    this.capacity = settings.capacity();
    this.patience = settings.patience();
  }

  /**
   * Lets a task in as soon as a place is free.
   *
   * @throws DibsException if none became free in time or the thread was interrupted; it has not
   *     entered then
   * @throws IllegalStateException if the room is closed
   */
  void enter(WaitingTask task) {
    lock.lock();
    try {
      awaitPlace();
      waiting.add(task);
      unanswered++;
      if (waiting.size() == 1 || isWorthACommit()) batchIsReady.signal();
    } finally {
      lock.unlock();
    }
  }

  private void awaitPlace() {
    long left = patience.toNanos();
    while (!closed && waiting.size() >= capacity) {
      if (left <= 0) throw new DibsException(full());
      try {
        left = placeIsFree.awaitNanos(left);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new DibsException(
            "interrupted while waiting for a place to enqueue; the task was not enqueued", e);
      }
    }
    if (closed)
      throw new IllegalStateException(
          "this producer is closed; the task was not enqueued, use a producer that is open");
  }

  private String full() {
    return "%d tasks have been waiting for the database for %s; the task was not enqueued, try again later or enqueue more slowly"
        .formatted(capacity, patience);
  }

  /**
   * Takes the next batch for a commit, which {@link #committed} ends; none when closed and empty.
   */
  List<WaitingTask> take() {
    lock.lock();
    try {
      awaitBatch();
      List<WaitingTask> taken = new ArrayList<>(Math.min(largestBatch, waiting.size()));
      int chars = 0;
      while (taken.size() < largestBatch && chars < BATCH_CHARS && !waiting.isEmpty()) {
        WaitingTask task = waiting.remove();
        chars += task.row().chars();
        taken.add(task);
      }
      committing += taken.size();
      if (!waiting.isEmpty()) batchIsReady.signal();
      placeIsFree.signalAll();
      return taken;
    } finally {
      lock.unlock();
    }
  }

  private void awaitBatch() {
    long left = LONGEST_WAIT.toNanos();
    while (waiting.isEmpty() ? !closed : !isWorthACommit() && left > 0) {
      try {
        if (waiting.isEmpty()) {
          batchIsReady.await();
          left = LONGEST_WAIT.toNanos();
        } else {
          left = batchIsReady.awaitNanos(left);
        }
      } catch (InterruptedException e) {
        // The thread is ours and nobody has cause to stop it: those who wait must be answered.
      }
    }
  }

  /**
   * The first to come never waits. Beside a commit that is under way another one begins only when
   * as many wait as that one carries: else every caller that comes back would find an idle
   * committer and have a commit to itself.
   */
  private boolean isWorthACommit() {
    return !waiting.isEmpty() && (closed || waiting.size() >= Math.min(committing, largestBatch));
  }

  /** Says that the commit of {@code tasks} has ended, well or not. */
  void committed(int tasks) {
    lock.lock();
    try {
      committing -= tasks;
      if (isWorthACommit()) batchIsReady.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Says that tasks which were taken have been answered. */
  void answered(int tasks) {
    lock.lock();
    try {
      unanswered -= tasks;
      if (unanswered == 0) allAreAnswered.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Lets nobody in any more and waits until all are answered, as long as patience lasts. */
  void close() throws InterruptedException {
    lock.lock();
    try {
      closed = true;
      batchIsReady.signalAll();
      placeIsFree.signalAll();
      long left = patience.toNanos();
      while (unanswered > 0 && left > 0) left = allAreAnswered.awaitNanos(left);
    } finally {
      lock.unlock();
    }
  }

  /** Hands out those that nobody took; the room is closed. They count as answered. */
  List<WaitingTask> abandon() {
    lock.lock();
    try {
      List<WaitingTask> left = List.copyOf(waiting);
      waiting.clear();
      unanswered -= left.size();
      return left;
    } finally {
      lock.unlock();
    }
  }
}
