package dev.dibs;

import java.time.Duration;
import java.util.Optional;

/**
 * What came of one run of a handler. An exception is an outcome too: a failure with the usual
 * backoff.
 *
 * <p>None of these is written once the run has lost its lease.
 */
public sealed interface Outcome {
  /** The longest a retry or a snooze may wait. */
  Duration LONGEST_WAIT = Duration.ofDays(365);

  /** The task is done. */
  record Done() implements Outcome {
    static final Done INSTANCE = new Done();
  }

  /**
   * The run failed and the task comes again, unless its attempts are used up: then it is dead.
   *
   * @param after how long it waits; empty: the usual backoff
   */
  record Retry(Optional<Duration> after, String error) implements Outcome {
    public Retry {
      after.ifPresent(wait -> checkWait("retry", wait));
    }
  }

  /** The task comes again later; this is no failure and uses up no attempt. */
  record Snooze(Duration delay) implements Outcome {
    public Snooze {
      checkWait("snooze", delay);
    }
  }

  /** The task is called off. */
  record Cancel(String reason) implements Outcome {}

  /** The task is given up at once, whatever attempts it has left. */
  record Dead(String error) implements Outcome {}

  static Outcome done() {
    return Done.INSTANCE;
  }

  /** A failure; the task comes again after {@code wait}, 0 to 365 days. */
  static Outcome retry(Duration wait, String error) {
    return new Retry(Optional.of(wait), error);
  }

  /** A failure; the task comes again after the usual backoff. */
  static Outcome retry(String error) {
    return new Retry(Optional.empty(), error);
  }

  /** Not now: the task comes again after {@code wait}, 0 to 365 days, and no attempt is used up. */
  static Outcome snooze(Duration wait) {
    return new Snooze(wait);
  }

  static Outcome cancel(String reason) {
    return new Cancel(reason);
  }

  static Outcome dead(String error) {
    return new Dead(error);
  }

  private static void checkWait(String what, Duration wait) {
    if (wait.isNegative() || wait.compareTo(LONGEST_WAIT) > 0) {
      throw new IllegalArgumentException(what + " must wait between 0 and 365 days, was " + wait);
    }
  }
}
