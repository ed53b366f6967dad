package dev.dibs.bench;

import dev.dibs.DibsException;

/** Counts in the database what was said to be done: a figure without that is worth nothing. */
final class Confirm {
  private Confirm() {}

  /** So many tasks are there, no more and no less. */
  static void count(BenchDatabase db, long expected) {
    expect("task", (double) db.tasks(), expected);
  }

  /** No task is left, and with history each is there once. */
  static void finished(BenchDatabase db, long expected, boolean history) {
    count(db, 0);
    if (!history) return;
    String succeeded = "from $task_history where status = 'SUCCEEDED'";
    expect("task_history", db.number("select count(*) " + succeeded), expected);
    expect("task_history, by id,", db.number("select count(distinct id) " + succeeded), expected);
  }

  /** As {@link #finished} with history, and the database gave each of them out a single time. */
  static void claimedOnce(BenchDatabase db, long expected) {
    finished(db, expected, true);
    expect(
        "task_history, at the first attempt,",
        db.number("select count(*) from $task_history where attempt = 1"),
        expected);
  }

  private static void expect(String where, double found, long expected) {
    if (found != expected) {
      throw new DibsException(
          "%s holds %.0f tasks, %d were to be there: no figure".formatted(where, found, expected));
    }
  }
}
