package dev.dibs.worker;

import dev.dibs.Outcome;
import dev.dibs.Task;
import dev.dibs.TaskStatus;
import dev.dibs.sql.Exchange;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What is to be written about a run that is over: the task ended, or comes again.
 *
 * @param label how the meters call it
 */
record FinishedRun(
    Task task, Exchange.@Nullable Ended ended, Exchange.@Nullable Again again, String label) {

  /** What {@code outcome} means for this task: a retry too many is its death. */
  static FinishedRun of(Task task, Outcome outcome, @Nullable Throwable cause) {
    return switch (outcome) {
      case Outcome.Done done -> ended(task, TaskStatus.SUCCEEDED, null);
      case Outcome.Cancel(String reason) ->
          ended(task, TaskStatus.CANCELLED, TaskError.of("cancelled", reason));
      case Outcome.Dead(String error) ->
          ended(task, TaskStatus.DEAD, TaskError.of("dead", error, cause));
      case Outcome.Snooze(Duration delay) -> again(task, delay, false, null, "snoozed");
      case Outcome.Retry(var after, String error) -> {
        String kept = TaskError.of("failed", error, cause);
        int failures = task.tries().failures() + 1;
        yield failures >= task.tries().maxAttempts()
            ? ended(task, TaskStatus.DEAD, kept)
            : again(task, after.orElseGet(() -> Backoff.after(failures)), true, kept, "retried");
      }
    };
  }

  /** The task goes back as it was: this run does not count. */
  static FinishedRun released(Task task) {
    return released(task, Duration.ZERO);
  }

  /** The same, but it waits before it comes again. */
  static FinishedRun released(Task task, Duration delay) {
    return again(task, delay, false, null, "released");
  }

  private static FinishedRun ended(Task task, TaskStatus status, @Nullable String error) {
    return new FinishedRun(
        task, new Exchange.Ended(task.hold(), status, error), null, label(status));
  }

  private static String label(TaskStatus status) {
    return switch (status) {
      case SUCCEEDED -> "succeeded";
      case DEAD -> "dead";
      case CANCELLED -> "cancelled";
      case SCHEDULED, BLOCKED, PENDING, PROCESSING ->
          throw new IllegalArgumentException(status + " ends no task");
    };
  }

  private static FinishedRun again(
      Task task, Duration delay, boolean failed, @Nullable String error, String label) {
    return new FinishedRun(
        task, null, new Exchange.Again(task.hold(), delay, failed, error), label);
  }

  /** How long until the task is due again, where it comes again later. */
  Optional<Duration> delay() {
    return again == null || again.delay().isZero() ? Optional.empty() : Optional.of(again.delay());
  }

  boolean isDeath() {
    return ended != null && ended.status() == TaskStatus.DEAD;
  }

  boolean hasError() {
    return (ended != null && ended.error() != null) || (again != null && again.error() != null);
  }

  /** The same without the error text, for a database that cannot keep it. */
  FinishedRun withoutError() {
    return new FinishedRun(
        task,
        ended == null ? null : new Exchange.Ended(ended.hold(), ended.status(), null),
        again == null
            ? null
            : new Exchange.Again(again.hold(), again.delay(), again.failed(), null),
        label);
  }
}
