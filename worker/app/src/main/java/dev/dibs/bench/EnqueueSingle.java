package dev.dibs.bench;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.producer.Producer;
import dev.dibs.producer.ProducerSettings;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * One task an enqueue, a commit each, from 1 and from 8 callers; beside the same single INSERT by
 * plain JDBC.
 */
final class EnqueueSingle implements Scenario {
  static final Kind<Json> NOOP = Kind.json("noop");
  private static final String PAD = "x".repeat(80);
  private static final int COMMITS = 4_000;

  @Override
  public String name() {
    return "enqueue-single";
  }

  static NewTask<Json> task(int n) {
    return NOOP.task(new Json("{\"n\": " + n + ", \"pad\": \"" + PAD + "\"}"))
        .queue(BenchDatabase.QUEUE);
  }

  @Override
  public List<Measurement> measure(BenchDatabase db, Bench.Plan plan, Report report)
      throws Exception {
    List<Measurement> measured = new ArrayList<>();
    for (int callers : new int[] {1, 8}) {
      report.doing(callers + " callers");
      double limit = Rounds.of(plan.rounds(), () -> raw(db, callers)).median().perSecond();
      Rounds ours = Rounds.of(plan.rounds(), () -> ours(db, callers));
      var setup = new Measurement.Setup(name(), callers + " callers", COMMITS, callers, 1);
      measured.add(ours.measured(setup, limit));
    }
    return measured;
  }

  private static Rounds.Round raw(BenchDatabase db, int callers) throws Exception {
    db.reset(false);
    return Rounds.timed(
        db, COMMITS, () -> together(callers, () -> insertRaw(db, COMMITS / callers)));
  }

  private static boolean insertRaw(BenchDatabase db, int count) throws Exception {
    String sql =
        db.inSchema("insert into $task (id, queue, kind, payload) values (?, ?, 'noop', ?::jsonb)");
    try (Connection connection = db.connect();
        PreparedStatement insert = connection.prepareStatement(sql)) {
      for (int n = 0; n < count; n++) {
        insert.setObject(1, UUID.randomUUID());
        insert.setString(2, BenchDatabase.QUEUE);
        insert.setString(3, "{\"n\": " + n + ", \"pad\": \"" + PAD + "\"}");
        insert.executeUpdate();
      }
    }
    return true;
  }

  private static Rounds.Round ours(BenchDatabase db, int callers) throws Exception {
    db.reset(false);
    try (var pool = new ConnectionPerThread(db);
        Producer producer = Producer.on(pool, ProducerSettings.DEFAULT.withSchema(db.schema()))) {
      Rounds.Round round =
          Rounds.timed(
              db, COMMITS, () -> together(callers, () -> enqueue(producer, COMMITS / callers)));
      Confirm.count(db, COMMITS);
      return round;
    }
  }

  private static boolean enqueue(Producer producer, int count) {
    for (int n = 0; n < count; n++) producer.enqueue(task(n));
    return true;
  }

  /** Does the same in several threads at once. */
  static void together(int threads, Callable<Boolean> work) throws Exception {
    try (var executor = Executors.newFixedThreadPool(threads)) {
      List<Future<Boolean>> futures = new ArrayList<>();
      for (int i = 0; i < threads; i++) futures.add(executor.submit(work));
      for (Future<Boolean> future : futures) future.get();
    }
  }
}
