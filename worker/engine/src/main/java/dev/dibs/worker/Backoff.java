package dev.dibs.worker;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** How long to wait after failures. */
final class Backoff {
  private static final Duration LONGEST = Duration.ofDays(1);
  private static final double JITTER = 0.1;

  private Backoff() {}

  /**
   * The wait after the {@code failures}-th failure of a task: its fourth power in seconds, within
   * 10 %, a day at most.
   */
  static Duration after(int failures) {
    double seconds = Math.min(Math.pow(failures, 4), (double) LONGEST.toSeconds());
    return jittered(Duration.ofMillis((long) (seconds * 1e3)), JITTER);
  }

  /** The duration give or take the share {@code jitter}, so that many do not come at once. */
  static Duration jittered(Duration duration, double jitter) {
    double factor = 1 + jitter * (2 * ThreadLocalRandom.current().nextDouble() - 1);
    return Duration.ofNanos((long) ((double) duration.toNanos() * factor));
  }
}
