package dev.dibs.producer;

import dev.dibs.DatabaseException;
import dev.dibs.sql.Bell;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Rings for workers after commits, on a connection and a thread of its own: many enqueues, one
 * bell.
 *
 * <p>The first ring of a quiet queue goes out at once, those that follow within the interval go out
 * together at its end. A bell that cannot be rung is dropped: workers poll. The lock guards {@code
 * waiting} and {@code closed}.
 */
final class BellRinger implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(BellRinger.class);
  private static final Duration LAST_RING = Duration.ofSeconds(5);

  private final DataSource dataSource;
  private final Bell bell;
  private final long intervalNanos;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition somethingWaits = lock.newCondition();

  /** Apart from the other: who rests is not to be woken by every enqueue. */
  private final Condition mustEnd = lock.newCondition();

  private Set<String> waiting = new HashSet<>();
  private boolean closed;
  private boolean failing;
  private @Nullable Thread thread;

  BellRinger(DataSource dataSource, Bell bell, Duration interval) {
    this.dataSource = dataSource;
    this.bell = bell;
    this.intervalNanos = interval.toNanos();
  }

  /** Rings for {@code queues} soon; does not wait. */
  void ring(Set<String> queues) {
    lock.lock();
    try {
      if (closed) return;
      if (waiting.isEmpty()) somethingWaits.signal();
      waiting.addAll(queues);
      if (thread == null || !thread.isAlive()) // an Error may have ended the last one
      thread = Thread.ofPlatform().daemon().name("dibs-bell").start(this::ringUntilClosed);
    } finally {
      lock.unlock();
    }
  }

  private void ringUntilClosed() {
    try {
      for (Set<String> queues = take(); !queues.isEmpty(); queues = take()) {
        ringNow(queues);
        rest();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Waits for queues to ring for; an empty set when closed and nothing is left. */
  private Set<String> take() throws InterruptedException {
    lock.lock();
    try {
      while (waiting.isEmpty() && !closed) somethingWaits.await();
      Set<String> queues = waiting;
      waiting = new HashSet<>();
      return queues;
    } finally {
      lock.unlock();
    }
  }

  private void rest() throws InterruptedException {
    lock.lock();
    try {
      long left = intervalNanos;
      while (left > 0 && !closed) left = mustEnd.awaitNanos(left);
    } finally {
      lock.unlock();
    }
  }

  private void ringNow(Set<String> queues) {
    try (Lent lent = Lent.from(dataSource)) {
      bell.ringAlone(lent.connection(), queues);
      failing = false;
    } catch (SQLException | RuntimeException e) {
      if (!failing)
        LOG.warn(
            "workers could not be told about new tasks, they find them by polling: {}",
            DatabaseException.reason(e));
      failing = true;
    }
  }

  /** Rings for what is waiting, then ends the thread. */
  @Override
  public void close() {
    @Nullable Thread last;
    lock.lock();
    try {
      closed = true;
      somethingWaits.signalAll();
      mustEnd.signalAll();
      last = thread;
    } finally {
      lock.unlock();
    }
    if (last == null) return;
    try {
      if (!last.join(LAST_RING)) last.interrupt();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
