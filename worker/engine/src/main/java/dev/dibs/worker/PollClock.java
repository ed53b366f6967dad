package dev.dibs.worker;

import java.time.Duration;

/**
 * When to look for tasks though no bell rang: soon after work was found, ever later while there is
 * none. Owned by the {@link Ledger}, under its lock.
 */
final class PollClock {
  private static final Duration SHORTEST = Duration.ofMillis(5);
  private static final double JITTER = 0.1;

  private final Duration longest;
  private Duration delay;
  private long dueAt = System.nanoTime();

  PollClock(Duration longest) {
    this.longest = longest;
    this.delay = SHORTEST;
  }

  long nanosUntilDue(long now) {
    return dueAt - now;
  }

  /** A claim goes out now: the next poll counts from its end. */
  void claimStarted(long now) {
    dueAt = now + longest.toNanos();
  }

  void claimEnded(boolean foundAny, long now) {
    Duration doubled = delay.multipliedBy(2);
    delay = foundAny ? SHORTEST : doubled.compareTo(longest) > 0 ? longest : doubled;
    dueAt = now + Backoff.jittered(delay, JITTER).toNanos();
  }

  /** At that time it is worth looking again in any case. */
  void dueNoLaterThan(long time) {
    if (time - dueAt < 0) dueAt = time;
  }
}
