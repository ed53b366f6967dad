package dev.dibs.bench;

/**
 * The first tasks of a backlog, watched by their last: while those are there the others need not be
 * looked for, and they are found by the primary key at once. A look for any task at all would read
 * the dead rows of the whole table, many times while the clock runs.
 */
final class Tail {
  private static final int LENGTH = 5_000;

  private static final String READY =
      "(select id from $task where queue = 'bench' and status = 'PENDING' and priority = 3"
          + " order by position offset %d limit 1)";

  private final BenchDatabase db;

  /** Of the first {@code tasks} that are ready now; their ids grow with their positions. */
  Tail(BenchDatabase db, long tasks) {
    this.db = db;
    db.execute("create table if not exists $tail (first uuid, late uuid, last uuid)");
    db.execute("truncate $tail");
    String ids =
        String.join(
            ", ",
            READY.formatted(0),
            READY.formatted(Math.max(0, tasks - LENGTH)),
            READY.formatted(tasks - 1));
    db.execute("insert into $tail values (" + ids + ")");
  }

  /** Waits until all of them have ended. */
  void awaitDrained() throws InterruptedException {
    awaitNoneFrom("late");
    awaitNoneFrom("first");
  }

  private void awaitNoneFrom(String from) throws InterruptedException {
    // Ordered, or the planner walks the table for the one row that it is to find.
    String left =
        """
        select count(*) from (select from $task where id >= (select %s from $tail)
          and id <= (select last from $tail) order by id limit 1) t\
        """
            .formatted(from);
    Await.until("the last tasks", () -> db.number(left) == 0);
  }
}
