package dev.dibs.console;

import java.time.Duration;
import java.time.InstantSource;

/** How many actions a minute one visitor gets. Thread-safe. */
final class ActionLimit {
  private static final int MOST = 60;

  private final Throttle throttle;

  ActionLimit(InstantSource clock) {
    this.throttle = new Throttle(MOST, Duration.ofMinutes(1), clock);
  }

  /** Counts one more action of the visitor's, or refuses it. */
  void admit(Visit visit) {
    if (!throttle.admits(visit.visitor().name()))
      throw new Refusal(
          429, "Too fast", "At most " + MOST + " actions a minute. Nothing was changed.");
  }
}
