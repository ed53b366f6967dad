package dev.dibs.bench;

import dev.dibs.bench.Rounds.Round;
import dev.dibs.bench.Rounds.Take;
import java.util.ArrayList;
import java.util.List;

/**
 * No-op tasks through one process and through several, with history and without; beside the same
 * rows claimed and ended by plain JDBC. From the first claim to the last commit: every process is
 * started, connected and registered before the tasks are let go.
 */
final class Drain implements Scenario {
  private static final int HEAP_MEBIBYTES = 192;

  /** What is drained, as often as the plan's tasks. */
  private static final List<Integer> SIZES = List.of(1, 4);

  private static final List<Boolean> HISTORY = List.of(false, true);

  @Override
  public String name() {
    return "drain";
  }

  /** Of a plan of one round the first, so that it is over soon. */
  private static List<Integer> sizes(Bench.Plan plan) {
    return plan.rounds() == 1 ? SIZES.subList(0, 1) : SIZES;
  }

  @Override
  public int takes(Bench.Plan plan) {
    int measurements = sizes(plan).size() * HISTORY.size();
    int uncounted = 2 + (manyProcesses(plan) ? 1 : 0);
    return uncounted + measurements * (1 + plan.processes().size()) * plan.rounds();
  }

  @Override
  public void measure(BenchDatabase db, Bench.Plan plan, Bench.Report report) throws Exception {
    warmUp(db, plan, report);
    try (var cache = new AotCache()) {
      if (manyProcesses(plan)) learn(db, plan, report, cache);
      for (int size : sizes(plan)) {
        for (boolean history : HISTORY)
          measure(db, plan, report, new Load(plan.tasks() * size, history), cache);
      }
    }
  }

  private static boolean manyProcesses(Bench.Plan plan) {
    return plan.processes().stream().anyMatch(processes -> processes > 1);
  }

  /** Lets one process write the cache that those which are counted start from: one take. */
  private static void learn(BenchDatabase db, Bench.Plan plan, Bench.Report report, AotCache cache)
      throws Exception {
    report.doing("writing a cache");
    var load = new Load(plan.tasks() * SIZES.getLast(), true);
    ours(db, load, 1, () -> plan.workers().start(db, order(1, cache.writing())));
  }

  /** What is drained. */
  record Load(int tasks, boolean history) {
    String variant() {
      return history ? "history" : "no history";
    }
  }

  private void measure(
      BenchDatabase db, Bench.Plan plan, Bench.Report report, Load load, AotCache cache)
      throws Exception {
    List<Take> takes = new ArrayList<>();
    takes.add(new Take(load.tasks() + " raw, " + load.variant(), () -> raw(db, load)));
    for (int processes : plan.processes()) {
      String what = "%d by %d, %s".formatted(load.tasks(), processes, load.variant());
      takes.add(
          new Take(what, () -> ours(db, load, processes, starting(db, plan, processes, cache))));
    }
    List<Rounds> rounds = Rounds.inTurn(plan.rounds(), report::doing, takes);
    for (int i = 1; i < rounds.size(); i++) {
      var setup =
          new Measurement.Setup(
              name(),
              load.variant(),
              load.tasks(),
              InProcess.CONCURRENCY,
              plan.processes().get(i - 1),
              plan.rounds());
      report.measured(rounds.get(i).measured(setup, rounds.getFirst().perSecond()));
    }
  }

  /** Lets the JVM compile what runs in this process, both ours and the limit: two takes. */
  static void warmUp(BenchDatabase db, Bench.Plan plan, Bench.Report report) throws Exception {
    var load = new Load(plan.tasks() * SIZES.getLast(), false);
    report.doing("warming up");
    raw(db, load);
    report.doing("warming up");
    byThisProcess(db, load);
  }

  static Round byThisProcess(BenchDatabase db, Load load) throws Exception {
    return ours(db, load, 1, () -> InProcess.start(db));
  }

  private static Round raw(BenchDatabase db, Load load) throws Exception {
    db.reset(load.history());
    db.fill(load.tasks());
    try (var raw = new RawDrain(db, RawDrain.BEST, load.history())) {
      Round round = Rounds.timed(db, load.tasks(), raw::drain);
      Confirm.finished(db, load.tasks(), load.history());
      return round;
    }
  }

  private static Round ours(
      BenchDatabase db, Load load, int processes, Rounds.Work<? extends AutoCloseable> starting)
      throws Exception {
    db.reset(load.history());
    db.pause();
    db.fill(load.tasks());
    var tail = new Tail(db, load.tasks());
    try (AutoCloseable workers = starting.run()) {
      InProcess.awaitWorkers(db, processes);
      Round round =
          Rounds.timed(
              db,
              load.tasks(),
              () -> {
                db.release();
                tail.awaitDrained();
                return workers;
              });
      Confirm.finished(db, load.tasks(), load.history());
      return round;
    }
  }

  /** One process is this one; several are new ones, as after a deployment. */
  private static Rounds.Work<? extends AutoCloseable> starting(
      BenchDatabase db, Bench.Plan plan, int processes, AotCache cache) {
    if (processes == 1) return () -> InProcess.start(db);
    return () -> plan.workers().start(db, order(processes, cache.using()));
  }

  private static Bench.Order order(int processes, List<String> jvmOptions) {
    return new Bench.Order(processes, InProcess.CONCURRENCY, HEAP_MEBIBYTES, jvmOptions);
  }
}
