package dev.dibs.bench;

import dev.dibs.NewTask;
import dev.dibs.producer.Producer;
import dev.dibs.producer.ProducerSettings;
import java.io.StringReader;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import org.postgresql.PGConnection;

/** Many tasks in one call; beside COPY of the same rows by plain JDBC. */
final class EnqueueBulk implements Scenario {
  @Override
  public String name() {
    return "enqueue-bulk";
  }

  @Override
  public List<Measurement> measure(BenchDatabase db, Bench.Plan plan, Report report)
      throws Exception {
    int count = plan.tasks();
    report.doing("raw COPY");
    double limit = Rounds.of(plan.rounds(), () -> raw(db, count)).median().perSecond();
    report.doing("one call of " + count);
    Rounds ours = Rounds.of(plan.rounds(), () -> ours(db, count));
    return List.of(ours.measured(new Measurement.Setup(name(), "one call", count, 1, 1), limit));
  }

  private static List<NewTask<?>> tasks(int count) {
    List<NewTask<?>> tasks = new ArrayList<>(count);
    for (int n = 0; n < count; n++) tasks.add(EnqueueSingle.task(n));
    return tasks;
  }

  private static Rounds.Round raw(BenchDatabase db, int count) throws Exception {
    db.reset(false);
    var rows = new StringBuilder();
    for (NewTask<?> task : tasks(count)) {
      rows.append(task.id()).append('\t').append(BenchDatabase.QUEUE).append("\tnoop\t");
      rows.append(((dev.dibs.Json) task.payload()).text()).append('\n');
    }
    try (Connection connection = db.connect()) {
      var copy = connection.unwrap(PGConnection.class).getCopyAPI();
      String sql = db.inSchema("copy $task (id, queue, kind, payload) from stdin");
      return Rounds.timed(db, count, () -> copy.copyIn(sql, new StringReader(rows.toString())));
    }
  }

  private static Rounds.Round ours(BenchDatabase db, int count) throws Exception {
    db.reset(false);
    List<NewTask<?>> tasks = tasks(count);
    try (Producer producer =
        Producer.on(db.dataSource(), ProducerSettings.DEFAULT.withSchema(db.schema()))) {
      Rounds.Round round = Rounds.timed(db, count, () -> producer.enqueue(tasks));
      Confirm.count(db, count);
      return round;
    }
  }
}
