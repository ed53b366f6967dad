package dev.dibs;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * How a task is to be run, apart from what it does. Immutable.
 *
 * @param queue 1 to 128 characters
 * @param due when it may run first
 * @param maxAttempts failures after which it is DEAD, at least 1; snoozes and lost workers do not
 *     count
 * @param timeout the longest one run may take, 1 ms to 36,000 days; empty: it may take for ever
 * @param headers small facts that travel with the task, such as a trace parent
 * @param unique empty: any number of such tasks may wait
 */
public record TaskOptions(
    String queue,
    Priority priority,
    Due due,
    int maxAttempts,
    Optional<Duration> timeout,
    Map<String, String> headers,
    Optional<Unique> unique) {

  /**
   * Queue {@code default}, normal priority, at once, 25 attempts, no timeout, no headers, not
   * unique.
   */
  public static final TaskOptions DEFAULT =
      new TaskOptions(
          "default",
          Priority.NORMAL,
          new Due.Now(),
          25,
          Optional.empty(),
          Map.of(),
          Optional.empty());

  /** What the database keeps counts in microseconds. */
  private static final Duration SHORTEST_TIMEOUT = Duration.ofMillis(1);

  /** The database takes 100 years, and compares as if each had 360 days. */
  private static final Duration LONGEST_TIMEOUT = Duration.ofDays(36_000);

  public TaskOptions {
    Names.check("queue", queue);
    if (maxAttempts < 1)
      throw new IllegalArgumentException("maxAttempts must be >= 1, was " + maxAttempts);
    if (timeout.isPresent()
        && (timeout.get().compareTo(SHORTEST_TIMEOUT) < 0
            || timeout.get().compareTo(LONGEST_TIMEOUT) > 0)) {
      throw new IllegalArgumentException(
          "timeout must be between 1 ms and 36,000 days, was " + timeout.get());
    }
    headers = Map.copyOf(headers);
  }

  public TaskOptions withQueue(String queue) {
    return new TaskOptions(queue, priority, due, maxAttempts, timeout, headers, unique);
  }

  public TaskOptions withPriority(Priority priority) {
    return new TaskOptions(queue, priority, due, maxAttempts, timeout, headers, unique);
  }

  public TaskOptions withDue(Due due) {
    return new TaskOptions(queue, priority, due, maxAttempts, timeout, headers, unique);
  }

  public TaskOptions withMaxAttempts(int maxAttempts) {
    return new TaskOptions(queue, priority, due, maxAttempts, timeout, headers, unique);
  }

  public TaskOptions withTimeout(Optional<Duration> timeout) {
    return new TaskOptions(queue, priority, due, maxAttempts, timeout, headers, unique);
  }

  public TaskOptions withHeaders(Map<String, String> headers) {
    return new TaskOptions(queue, priority, due, maxAttempts, timeout, headers, unique);
  }

  public TaskOptions withUnique(Optional<Unique> unique) {
    return new TaskOptions(queue, priority, due, maxAttempts, timeout, headers, unique);
  }
}
