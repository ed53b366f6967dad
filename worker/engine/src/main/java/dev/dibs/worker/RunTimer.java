package dev.dibs.worker;

import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Wakes those who wait for a run: at its timeout, and when an interrupted one has had its grace.
 * One thread for all runs. Thread-safe; once it is closed nothing is woken any more.
 */
final class RunTimer implements AutoCloseable {
  private final ScheduledThreadPoolExecutor timer;
  private final Duration interruptGrace;

  RunTimer(Duration interruptGrace) {
    this.interruptGrace = interruptGrace;
    this.timer =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("dibs-timer").factory());
    timer.setRemoveOnCancelPolicy(true); // a run that is over must not stay until its timeout
    timer.setRejectedExecutionHandler(new ThreadPoolExecutor.DiscardPolicy());
  }

  Duration interruptGrace() {
    return interruptGrace;
  }

  Future<?> after(Duration wait, Runnable then) {
    return timer.schedule(then, wait.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** How many waits lie ahead. */
  int ahead() {
    return timer.getQueue().size();
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
