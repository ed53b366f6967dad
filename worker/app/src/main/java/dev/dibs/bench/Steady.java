package dev.dibs.bench;

import dev.dibs.bench.Rounds.Round;
import dev.dibs.bench.Rounds.Take;
import dev.dibs.producer.Producer;
import dev.dibs.worker.Worker;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Producers and a worker at once, from the first enqueue to the last commit, and how many tasks
 * wait meanwhile; beside the same rows inserted and drained by plain JDBC at once.
 */
final class Steady implements Scenario {
  private static final Duration COUNT_EVERY = Duration.ofMillis(200);

  /** Who enqueues: so many callers, so many tasks a call, so many tasks at the usual size. */
  private record Producers(String variant, int callers, int perCall, int usualTasks) {}

  private static final List<Producers> VARIANTS =
      List.of(
          new Producers("8 callers, 1 task a call", 8, 1, 80_000),
          new Producers("2 callers, 100 tasks a call", 2, 100, 300_000));

  @Override
  public String name() {
    return "steady";
  }

  @Override
  public int takes(Bench.Plan plan) {
    return 2 * VARIANTS.size() * plan.rounds();
  }

  @Override
  public void measure(BenchDatabase db, Bench.Plan plan, Bench.Report report) throws Exception {
    for (Producers producers : VARIANTS) {
      int calls = plan.sized(producers.usualTasks()) / producers.perCall();
      var takes =
          List.of(
              new Take("raw, " + producers.variant(), () -> raw(db, producers, calls)),
              new Take(producers.variant(), () -> ours(db, producers, calls)));
      List<Rounds> rounds = Rounds.inTurn(plan.rounds(), report::doing, takes);
      var setup =
          new Measurement.Setup(
              name(),
              producers.variant(),
              (long) calls * producers.perCall(),
              InProcess.CONCURRENCY,
              1,
              plan.rounds());
      report.measured(rounds.get(1).measured(setup, rounds.get(0).perSecond()));
    }
  }

  private static Round raw(BenchDatabase db, Producers producers, int calls) throws Exception {
    db.reset(true);
    long tasks = (long) calls * producers.perCall();
    var left = new AtomicInteger(calls);
    try (var inserting = new SideBySide.Connections(db, producers.callers());
        var draining = new RawDrain(db, RawDrain.BEST, true)) {
      Round round =
          Rounds.timed(
              db,
              tasks,
              () ->
                  SideBySide.both(
                      () ->
                          SideBySide.run(
                              inserting, c -> () -> insert(db, c, left, producers.perCall())),
                      () -> draining.follow(tasks)));
      Confirm.finished(db, tasks, true);
      return round;
    }
  }

  private static boolean insert(
      BenchDatabase db, Connection connection, AtomicInteger left, int perCall) throws Exception {
    while (left.getAndDecrement() > 0) {
      if (perCall == 1) RawInsert.single(db, connection, 1);
      else RawInsert.copy(db, connection, RawInsert.rows(Tasks.tasks(perCall)));
    }
    return true;
  }

  private static Round ours(BenchDatabase db, Producers producers, int calls) throws Exception {
    db.reset(true);
    long tasks = (long) calls * producers.perCall();
    var left = new AtomicInteger(calls);
    var depth = new Depth();
    try (var pool = new ConnectionPerThread(db, producers.callers());
        Producer producer = pool.producer();
        Worker worker = InProcess.start(db);
        var executor = Executors.newSingleThreadExecutor()) {
      Round round =
          Rounds.timed(
              db,
              tasks,
              () -> {
                Future<?> produced =
                    executor.submit(() ->
                        SideBySide.run(
                            producers.callers(),
                            () -> enqueue(producer, left, producers.perCall())));
                depth.watch(db, produced);
                Await.until("the end of " + worker.id(), () -> db.tasks() == 0);
                return produced.get();
              });
      Confirm.finished(db, tasks, true);
      return depth.in(round);
    }
  }

  private static boolean enqueue(Producer producer, AtomicInteger left, int perCall) {
    while (left.getAndDecrement() > 0) {
      if (perCall == 1) producer.enqueue(Tasks.task(0));
      else producer.enqueue(Tasks.tasks(perCall));
    }
    return true;
  }

  /** How many tasks waited or ran, counted by the database. Owned by one thread. */
  private static final class Depth {
    private long greatest;
    private long last;

    /** Counts until the producers are done; the last count is the one right after that. */
    void watch(BenchDatabase db, Future<?> produced) throws InterruptedException {
      while (!produced.isDone()) {
        count(db);
        Await.pause(COUNT_EVERY);
      }
      count(db);
    }

    private void count(BenchDatabase db) {
      last = db.tasks();
      greatest = Math.max(greatest, last);
    }

    Round in(Round round) {
      return round.also("greatest_depth", (double) greatest).also("last_depth", (double) last);
    }
  }
}
