package dev.dibs;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * All that is known of one task but its payload. Immutable.
 *
 * @param timeout the longest a run may take; unknown of tasks that ended under an older schema
 * @param errors of its attempts that ended otherwise than well, at most the last ten, the newest
 *     last
 * @param seenAt the database's time when this was read
 */
public record TaskPage(
    TaskRow row, Optional<Duration> timeout, List<AttemptError> errors, Instant seenAt) {
  public TaskPage {
    errors = List.copyOf(errors);
  }

  /**
   * How an attempt ended.
   *
   * @param attempt its number
   * @param type the class of an exception, or a word: cancelled, worker died …
   * @param group the same for errors that are alike; empty where none was computed
   * @param stack empty where there was no exception
   */
  public record AttemptError(
      int attempt, Instant at, String type, String message, String group, String stack) {}
}
