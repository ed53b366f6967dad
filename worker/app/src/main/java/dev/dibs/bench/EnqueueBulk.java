package dev.dibs.bench;

import dev.dibs.NewTask;
import dev.dibs.bench.Rounds.Take;
import dev.dibs.producer.Producer;
import java.sql.Connection;
import java.util.List;

/** Many tasks in one call; beside COPY of the same rows by plain JDBC. */
final class EnqueueBulk implements Scenario {
  @Override
  public String name() {
    return "enqueue-bulk";
  }

  @Override
  public int takes(Bench.Plan plan) {
    return 2 * plan.rounds();
  }

  @Override
  public List<Measurement> measure(BenchDatabase db, Bench.Plan plan, Report report)
      throws Exception {
    int count = plan.tasks();
    var takes =
        List.of(
            new Take("raw COPY", () -> raw(db, count)),
            new Take("one call of " + count, () -> ours(db, count)));
    List<Rounds> rounds = Rounds.inTurn(plan.rounds(), report, takes);
    var setup = new Measurement.Setup(name(), "one call", count, 1, 1, plan.rounds());
    return List.of(rounds.get(1).measured(setup, rounds.get(0).perSecond()));
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

  private static Rounds.Round ours(BenchDatabase db, int count) throws Exception {
    db.reset(false);
    List<NewTask<?>> tasks = Tasks.tasks(count);
    try (var pool = new ConnectionPerThread(db, 1);
        Producer producer = pool.producer()) {
      Rounds.Round round = Rounds.timed(db, count, () -> producer.enqueue(tasks));
      Confirm.count(db, count);
      return round;
    }
  }
}
