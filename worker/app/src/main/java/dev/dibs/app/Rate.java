package dev.dibs.app;

import java.time.Duration;

/** Lets so many through a second, and as many at once after a pause. Thread-safe. */
final class Rate {
  private static final double NANOS = Duration.ofSeconds(1).toNanos();

  private final double perSecond;
  private double left;
  private long last = System.nanoTime();

  Rate(double perSecond) {
    if (!(perSecond > 0 && perSecond <= 1e6))
      throw new IllegalArgumentException(
          "a rate must be above 0 and at most 1000000 a second, was " + perSecond);
    this.perSecond = perSecond;
    this.left = most();
  }

  /** Even the slowest lets one through at a time. */
  private double most() {
    return Math.max(1, perSecond);
  }

  /** Zero: this one passes. Else it does not, and may come again after so long. */
  synchronized Duration take() {
    long now = System.nanoTime();
    left = Math.min(most(), left + (now - last) * perSecond / NANOS);
    last = now;
    if (left < 1) return Duration.ofNanos((long) Math.ceil((1 - left) / perSecond * NANOS));
    left--;
    return Duration.ZERO;
  }
}
