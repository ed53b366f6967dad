package dev.dibs.chaos;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Waits for conditions, and lets faults last. */
final class Await {
  /** A condition that may ask the database; while that cannot answer, it is not met. */
  @FunctionalInterface
  interface Condition {
    boolean isMet() throws Exception;
  }

  private static final Duration LOOK_EVERY = Duration.ofMillis(20);

  private Await() {}

  /** Whether the condition is met within {@code atMost}. */
  static boolean met(Duration atMost, Condition condition) {
    long deadline = System.nanoTime() + atMost.toNanos();
    while (true) {
      if (isMet(condition)) return true;
      if (System.nanoTime() - deadline > 0) return false;
      pass(LOOK_EVERY);
    }
  }

  /**
   * Waits until the condition is met.
   *
   * @throws IllegalStateException if it is not within {@code atMost}
   */
  static void until(String what, Duration atMost, Condition condition) {
    if (!met(atMost, condition))
      throw new IllegalStateException("waited %s for: %s".formatted(atMost, what));
  }

  private static boolean isMet(Condition condition) {
    try {
      return condition.isMet();
    } catch (Exception e) {
      return false;
    }
  }

  /** Lets time pass: how long a fault lasts is part of the fault. */
  static void pass(Duration time) {
    try {
      if (new CountDownLatch(1).await(time.toNanos(), TimeUnit.NANOSECONDS))
        throw new IllegalStateException("nobody counts down");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
