package dev.dibs.bench;

import dev.dibs.DibsException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits for what the database shows, and not for ever. */
final class Await {
  /** How exact an end is seen; each look costs the measured database a little. */
  private static final Duration LOOK_EVERY = Duration.ofMillis(5);

  private static final Duration PATIENCE = Duration.ofMinutes(15);

  private Await() {}

  /**
   * Returns once {@code condition} holds.
   *
   * @throws DibsException if that takes a quarter of an hour: something has ended that should not
   */
  static void until(String what, BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0)
        throw new DibsException("waited %s for %s in vain".formatted(PATIENCE, what));
      pause(LOOK_EVERY);
    }
  }

  /** Lets {@code pause} pass. */
  static void pause(Duration pause) throws InterruptedException {
    pauseUntil(System.nanoTime() + pause.toNanos());
  }

  /** Lets time pass until the monotonic clock shows {@code nanos}. */
  static void pauseUntil(long nanos) throws InterruptedException {
    for (long left = nanos - System.nanoTime(); left > 0; left = nanos - System.nanoTime()) {
      LockSupport.parkNanos(left);
      if (Thread.interrupted()) throw new InterruptedException();
    }
  }
}
