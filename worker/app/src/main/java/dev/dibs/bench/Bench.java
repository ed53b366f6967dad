package dev.dibs.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The scenarios of {@code dibs bench}. */
public final class Bench {
  /**
   * How much is measured.
   *
   * @param tasks of the scenarios whose size is not given by their question
   * @param rounds of each measurement, at least 1
   * @param processes starts the worker processes of scenarios that want several
   */
  public record Plan(int tasks, int rounds, WorkerProcesses processes) {
    public Plan {
      if (tasks < 1_000)
        throw new IllegalArgumentException("tasks must be at least 1000, was " + tasks);
      if (rounds < 1)
        throw new IllegalArgumentException("rounds must be at least 1, was " + rounds);
    }
  }

  /** Starts worker processes that serve the benchmark's queue until they are closed. */
  @FunctionalInterface
  public interface WorkerProcesses {
    AutoCloseable start(BenchDatabase db, int processes, int concurrency) throws Exception;
  }

  private static final List<Scenario> SCENARIOS =
      List.of(
          new EnqueueSingle(),
          new EnqueueBulk(),
          new Drain(),
          new Latency(),
          new Backlog(),
          new HeldSnapshot(),
          new Idle());

  private Bench() {}

  /** The names, in the order in which {@code all} runs them. */
  public static List<String> names() {
    return SCENARIOS.stream().map(Scenario::name).toList();
  }

  /**
   * Measures one scenario.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  public static List<Measurement> measure(
      String name, BenchDatabase db, Plan plan, java.util.function.Consumer<String> report)
      throws Exception {
    Optional<Scenario> scenario = SCENARIOS.stream().filter(s -> s.name().equals(name)).findFirst();
    if (scenario.isEmpty()) {
      throw new IllegalArgumentException(
          "there is no scenario '%s', only %s".formatted(name, String.join(", ", names())));
    }
    return new ArrayList<>(scenario.get().measure(db, plan, report::accept));
  }
}
