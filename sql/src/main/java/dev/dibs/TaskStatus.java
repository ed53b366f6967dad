package dev.dibs;

/** Where a task stands. The database, the meters and the command line use the same words. */
public enum TaskStatus {
  /** Its run time lies ahead; also a retry that waits for its backoff. */
  SCHEDULED,
  /** Waits for a key or a dependency. */
  BLOCKED,
  /** Ready to be claimed. */
  PENDING,
  /** Claimed: a worker holds its lease. */
  PROCESSING,
  /** Done. */
  SUCCEEDED,
  /** Given up: its attempts are used up, its handler said so, or it killed its workers. */
  DEAD,
  /** Called off. */
  CANCELLED;

  /** Whether a task of this status will never run again by itself. */
  public boolean isFinal() {
    return switch (this) {
      case SCHEDULED, BLOCKED, PENDING, PROCESSING -> false;
      case SUCCEEDED, DEAD, CANCELLED -> true;
    };
  }
}
