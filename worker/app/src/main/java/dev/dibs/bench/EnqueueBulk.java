package dev.dibs.bench;

import dev.dibs.NewTask;
import dev.dibs.bench.Rounds.Take;
import dev.dibs.producer.Producer;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;

/**
 * Many tasks in one call; beside COPY of the same rows by plain JDBC. With unique keys, where that
 * is wanted, beside the same call without; all of them free, and one in ten held.
 */
final class EnqueueBulk implements Scenario {
  private static final int HELD_OF = 10;

  @Override
  public String name() {
    return "enqueue-bulk";
  }

  @Override
  public int takes(Bench.Plan plan) {
    return (plan.unique() ? 4 : 2) * plan.rounds();
  }

  @Override
  public void measure(BenchDatabase db, Bench.Plan plan, Bench.Report report) throws Exception {
    int count = plan.tasks();
    List<Take> takes = new ArrayList<>();
    takes.add(new Take("raw COPY", () -> raw(db, count)));
    takes.add(new Take("one call of " + count, () -> ours(db, Tasks.tasks(count), 0)));
    if (plan.unique()) {
      takes.add(new Take("unique, all keys free", () -> ours(db, unique(count), 0)));
      takes.add(new Take("unique, a tenth held", () -> ours(db, unique(count), count / HELD_OF)));
    }
    List<Rounds> rounds = Rounds.inTurn(plan.rounds(), report::doing, takes);
    report.measured(measured(plan, "one call", rounds.get(1), rounds.get(0)));
    if (plan.unique()) {
      report.measured(measured(plan, "unique, all keys free", rounds.get(2), rounds.get(1)));
      report.measured(measured(plan, "unique, a tenth held", rounds.get(3), rounds.get(1)));
    }
  }

  private Measurement measured(Bench.Plan plan, String variant, Rounds ours, Rounds beside) {
    var setup = new Measurement.Setup(name(), variant, plan.tasks(), 1, 1, plan.rounds());
    return ours.measured(setup, beside.perSecond());
  }

  private static List<NewTask<?>> unique(int count) {
    List<NewTask<?>> tasks = new ArrayList<>(count);
    for (int n = 0; n < count; n++) tasks.add(Tasks.task(n).unique("order-" + n));
    return tasks;
  }

  private static Rounds.Round raw(BenchDatabase db, int count) throws Exception {
    db.reset(false);
    String rows = RawInsert.rows(Tasks.tasks(count));
    try (Connection connection = db.connect()) {
      Rounds.Round round = Rounds.timed(db, count, () -> RawInsert.copy(db, connection, rows));
      Confirm.count(db, count);
      return round;
    }
  }

  /** With the keys of the first {@code held} tasks held by others. */
  private static Rounds.Round ours(BenchDatabase db, List<NewTask<?>> tasks, int held)
      throws Exception {
    db.reset(false);
    try (var pool = new ConnectionPerThread(db, 1);
        Producer producer = pool.producer()) {
      if (held > 0) producer.enqueue(unique(held));
      Rounds.Round round = Rounds.timed(db, tasks.size(), () -> producer.enqueue(tasks));
      Confirm.count(db, tasks.size());
      return round;
    }
  }
}
