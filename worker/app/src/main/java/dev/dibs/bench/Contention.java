package dev.dibs.bench;

import dev.dibs.DibsException;
import dev.dibs.Priority;
import dev.dibs.Task;
import dev.dibs.TaskStatus;
import dev.dibs.bench.Rounds.Round;
import dev.dibs.bench.Rounds.Take;
import dev.dibs.sql.Exchange;
import dev.dibs.sql.Plans;
import java.sql.Connection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * The engine's statement on 1 to 64 connections side by side, a hundred tasks a claim: what they
 * cost each other, and that the database gives no task out twice. Beside as many connections of
 * plain JDBC.
 */
final class Contention implements Scenario {
  private static final List<Integer> CLAIMERS = List.of(1, 2, 4, 8, 16, 32, 64);
  private static final int BATCH = 100;
  private static final Task.Lane LANE = new Task.Lane(BenchDatabase.QUEUE, Priority.NORMAL);

  @Override
  public String name() {
    return "contention";
  }

  @Override
  public int takes(Bench.Plan plan) {
    return 2 * CLAIMERS.size() * plan.rounds();
  }

  @Override
  public void measure(BenchDatabase db, Bench.Plan plan, Bench.Report report) throws Exception {
    var exchange = new Exchange(db.schema());
    for (int claimers : CLAIMERS) {
      String variant = claimers == 1 ? "1 claimer" : claimers + " claimers";
      var takes =
          List.of(
              new Take("raw, " + variant, () -> raw(db, plan.tasks(), claimers)),
              new Take(variant, () -> ours(db, plan.tasks(), exchange, claimers)));
      List<Rounds> rounds = Rounds.inTurn(plan.rounds(), report::doing, takes);
      var setup = new Measurement.Setup(name(), variant, plan.tasks(), claimers, 1, plan.rounds());
      report.measured(rounds.get(1).measured(setup, rounds.get(0).perSecond()));
    }
  }

  private static Round raw(BenchDatabase db, int tasks, int claimers) throws Exception {
    db.reset(true);
    db.fill(tasks);
    try (var raw = new RawDrain(db, new RawDrain.Shape(claimers, BATCH), true)) {
      Round round = Rounds.timed(db, tasks, raw::drain);
      Confirm.claimedOnce(db, tasks);
      return round;
    }
  }

  private static Round ours(BenchDatabase db, int tasks, Exchange exchange, int claimers)
      throws Exception {
    db.reset(true);
    db.fill(tasks);
    var deadlocks = new Deadlocks();
    try (var connections = new SideBySide.Connections(db, claimers, Plans.FIXED)) {
      Round round =
          Rounds.timed(
              db,
              tasks,
              () -> SideBySide.run(connections, c -> () -> claimAll(exchange, c, deadlocks)));
      Confirm.claimedOnce(db, tasks);
      return round.also("deadlocks", deadlocks.count());
    }
  }

  /** Claims and ends what it has claimed until nothing is left; answers how many it had. */
  private static long claimAll(Exchange exchange, Connection connection, Deadlocks deadlocks)
      throws Exception {
    var worker = UUID.randomUUID();
    var outcomes = Exchange.Outcomes.NONE;
    long floor = 0;
    long ended = 0;
    Exchange.Result result;
    do {
      var claim =
          new Exchange.Claim(
              worker,
              UUID.randomUUID(),
              List.of(new Exchange.LaneRoom(LANE, floor, BATCH)),
              Map.of(LANE.queue(), BATCH),
              Set.of(Tasks.NOOP.name()));
      var ending = outcomes;
      result = deadlocks.outlive(() -> exchange.run(connection, ending, claim));
      if (!result.refused().isEmpty())
        throw new DibsException("%d tasks changed hands".formatted(result.refused().size()));
      floor = result.reached().getOrDefault(LANE, floor);
      outcomes = succeeded(result.claimed());
      ended += result.claimed().size();
    } while (!result.claimed().isEmpty());
    return ended;
  }

  private static Exchange.Outcomes succeeded(List<Task> tasks) {
    var ended =
        tasks.stream()
            .map(task -> new Exchange.Ended(task.hold(), TaskStatus.SUCCEEDED, null))
            .toList();
    return new Exchange.Outcomes(ended, List.of());
  }
}
