package dev.dibs.chaos;

import java.util.UUID;

/** A promise that was broken, and on which task; {@link Event#NO_TASK} where it is about none. */
record Violation(Promise promise, UUID task, String what) {
  /** What the checker holds Dibs to. */
  enum Promise {
    NO_LOSS,
    ONE_COMPLETION,
    OWNERSHIP,
    MUTUAL_EXCLUSION,
    EFFECTS,
    CONSERVATION,
    LIMITS,
    PROGRESS,
    WHOLE_LEASE
  }

  @Override
  public String toString() {
    return promise + " " + (task.equals(Event.NO_TASK) ? "" : task + " ") + what;
  }
}
