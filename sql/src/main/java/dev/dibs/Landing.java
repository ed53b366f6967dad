package dev.dibs;

/** What became of a task that was enqueued. */
public enum Landing {
  /** It is in the queue. */
  INSERTED,
  /** A task of its id was there already, and was left as it is: it was enqueued before. */
  ALREADY_THERE,
  /** Another one held its unique key, and stays. */
  KEPT,
  /** Another one held its unique key, waits, and has its payload now. */
  REPLACED,
  /** Another one held its unique key, waits, and has its run time now. */
  POSTPONED,
  /** Another one held its unique key, and it was not wanted then. */
  REJECTED;

  /** Whether there is a task more than before. */
  public boolean isInserted() {
    return this == INSERTED;
  }
}
