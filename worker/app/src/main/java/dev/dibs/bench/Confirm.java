package dev.dibs.bench;

import dev.dibs.DibsException;

/** Counts in the database what was said to be done: a figure without that is worth nothing. */
final class Confirm {
  private Confirm() {}

  static void count(BenchDatabase db, long expected) {
    double found = db.number("select count(*) from $task");
    if (found != expected) {
      throw new DibsException(
          "the database holds %.0f tasks, %d were to be there: no figure"
              .formatted(found, expected));
    }
  }

  static void finished(BenchDatabase db, long expected, boolean history) {
    count(db, 0);
    double found = db.number("select count(*) from $task_history where status = 'SUCCEEDED'");
    if (history && found != expected) {
      throw new DibsException(
          "history holds %.0f tasks, %d were to be there: no figure".formatted(found, expected));
    }
  }
}
