package dev.dibs;

import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/** What a bulk does to each task that it chooses. */
public sealed interface BulkChange {
  /**
   * Runs tasks again that ended.
   *
   * @param spread so long from the start on they become ready, evenly; zero: all at once
   */
  record Retry(Duration spread) implements BulkChange {
    private static final Duration LONGEST = Duration.ofDays(365);

    public Retry {
      if (spread.isNegative() || spread.compareTo(LONGEST) > 0)
        throw new IllegalArgumentException("spread must be zero to 365 days, was " + spread);
    }
  }

  /** Calls off what waits or runs. */
  record Cancel() implements BulkChange {}

  /** Forgets what waits or has ended, without a trace in history. */
  record Delete() implements BulkChange {}

  /** Puts what waits into another queue. */
  record Move(String queue) implements BulkChange {
    public Move {
      Names.check("queue", queue);
    }
  }

  /** Makes what waits more or less urgent. */
  record Prioritise(Priority priority) implements BulkChange {}

  /** Gives what waits another time to run; one that has passed means at once. */
  record Reschedule(Instant runAt) implements BulkChange {}

  /** The word for it in the database, the audit and the command line. */
  default String action() {
    return getClass().getSimpleName().toLowerCase(Locale.ROOT);
  }

  /** The statuses of tasks to which it can be done. */
  default Set<TaskStatus> statuses() {
    Set<TaskStatus> waiting =
        EnumSet.of(TaskStatus.SCHEDULED, TaskStatus.BLOCKED, TaskStatus.PENDING);
    return switch (this) {
      case Retry retry -> EnumSet.of(TaskStatus.DEAD, TaskStatus.CANCELLED);
      case Cancel cancel -> with(waiting, TaskStatus.PROCESSING);
      case Delete delete ->
          with(waiting, TaskStatus.SUCCEEDED, TaskStatus.DEAD, TaskStatus.CANCELLED);
      case Move move -> waiting;
      case Prioritise prioritise -> waiting;
      case Reschedule reschedule -> waiting;
    };
  }

  private static Set<TaskStatus> with(Set<TaskStatus> statuses, TaskStatus... more) {
    statuses.addAll(Set.of(more));
    return statuses;
  }
}
