package dev.dibs;

import java.time.Duration;
import java.time.Instant;

/** When a task may run first. Delays count from the database's clock. */
public sealed interface Due {
  /** The longest delay: what is further away is a mistake of units more often than a plan. */
  Duration LONGEST = Duration.ofDays(36_525);

  /** At once. */
  record Now() implements Due {}

  /**
   * Some time after the enqueue, by the database's clock.
   *
   * @param delay not negative, at most {@link #LONGEST}
   */
  record After(Duration delay) implements Due {
    public After {
      if (delay.isNegative() || delay.compareTo(LONGEST) > 0) {
        throw new IllegalArgumentException("delay must be between 0 and 100 years, was " + delay);
      }
    }
  }

  /**
   * At an instant; one that has passed means at once.
   *
   * @param instant between the years 1970 and 9999
   */
  record At(Instant instant) implements Due {
    private static final Instant LAST = Instant.parse("9999-12-31T23:59:59Z");

    public At {
      if (instant.isBefore(Instant.EPOCH) || instant.isAfter(LAST)) {
        throw new IllegalArgumentException(
            "run time must lie between 1970 and 9999, was " + instant);
      }
    }
  }
}
