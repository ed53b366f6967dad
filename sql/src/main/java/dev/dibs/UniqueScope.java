package dev.dibs;

import java.time.Duration;

/** How long a task keeps others of its unique key out. */
public sealed interface UniqueScope {
  /** Until it ended, whatever it goes through: retries, snoozes, lost workers. */
  record WhileUnfinished() implements UniqueScope {}

  /**
   * Until it is first claimed: one may wait while another one runs, or waits for its retry. Also a
   * task that was claimed and given back unstarted has let its key go.
   */
  record UntilStarted() implements UniqueScope {}

  /**
   * Until it ended, and at least so long after it was enqueued. Holds against tasks that are
   * enqueued with a window too.
   *
   * @param length 1 ms to 3,660 days
   */
  record Window(Duration length) implements UniqueScope {
    private static final Duration SHORTEST = Duration.ofMillis(1);
    private static final Duration LONGEST = Duration.ofDays(3_660);

    public Window {
      if (length.compareTo(SHORTEST) < 0 || length.compareTo(LONGEST) > 0)
        throw new IllegalArgumentException(
            "the window of a unique key must last 1 ms to 3,660 days, was " + length);
    }
  }
}
