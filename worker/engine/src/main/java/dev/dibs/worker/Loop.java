package dev.dibs.worker;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A thread of the engine that does not die: whatever its body throws is logged once per kind, and
 * the body starts again after a pause that grows. Ends when the body returns, or is interrupted.
 */
final class Loop {
  /** The body of a loop; returns when it is told to stop. */
  @FunctionalInterface
  interface Body {
    void run() throws Exception;
  }

  private static final Logger LOG = LoggerFactory.getLogger(Loop.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);
  private static final Duration CALM = Duration.ofSeconds(30);
  private static final double JITTER = 0.3;

  private final String name;
  private final CountDownLatch stopped;
  private final Body body;
  private final Thread thread;
  private Duration pause = FIRST_PAUSE;

  /** A loop that gives up its pauses when {@code stopped} is down. */
  Loop(String name, CountDownLatch stopped, Body body) {
    this.name = name;
    this.stopped = stopped;
    this.body = body;
    this.thread = Thread.ofPlatform().daemon().name("dibs-" + name).unstarted(this::runUntilDone);
  }

  void start() {
    thread.start();
  }

  private void runUntilDone() {
    String lastComplaint = "";
    while (true) {
      long startedAt = System.nanoTime();
      try {
        body.run();
        return;
      } catch (InterruptedException e) {
        return;
      } catch (Throwable e) {
        if (System.nanoTime() - startedAt > CALM.toNanos()) pause = FIRST_PAUSE;
        String complaint = String.valueOf(e);
        if (!complaint.equals(lastComplaint)) LOG.error("{} failed and starts again", name, e);
        lastComplaint = complaint;
      }
      if (pausedUntilStopped()) return;
    }
  }

  private boolean pausedUntilStopped() {
    try {
      Duration now = Backoff.jittered(pause, JITTER);
      pause =
          pause.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0
              ? LONGEST_PAUSE
              : pause.multipliedBy(2);
      return stopped.await(now.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      return true;
    }
  }

  /** Wakes the thread if it is parked, and waits for it to end by itself. */
  void await(Duration timeout) throws InterruptedException {
    LockSupport.unpark(thread);
    thread.join(timeout);
  }

  /** Wakes the thread if it is parked, waits for it to end, then interrupts it. */
  void join(Duration timeout) throws InterruptedException {
    LockSupport.unpark(thread);
    if (!thread.join(timeout)) thread.interrupt();
  }

  String name() {
    return name;
  }

  boolean isAlive() {
    return thread.isAlive();
  }
}
