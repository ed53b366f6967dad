package dev.dibs.bench;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The scenarios of {@code dibs bench}. */
public final class Bench {
  /**
   * How much is measured.
   *
   * @param tasks of a drain; the sizes of all other scenarios go along with it, at least 1,000
   * @param rounds of each measurement, at least 1
   * @param processes by how many processes each drain is done, 1 meaning this one
   * @param unique whether a bulk is also enqueued with unique keys
   * @param workers starts the worker processes of scenarios that want some
   */
  public record Plan(
      int tasks, int rounds, List<Integer> processes, boolean unique, WorkerProcesses workers) {
    private static final int USUAL_TASKS = 100_000;
    private static final double SHORTEST = 0.1;

    public Plan {
      processes = List.copyOf(processes);
      if (tasks < 1_000)
        throw new IllegalArgumentException("tasks must be at least 1000, was " + tasks);
      if (rounds < 1)
        throw new IllegalArgumentException("rounds must be at least 1, was " + rounds);
      for (int count : processes) {
        if (count < 1)
          throw new IllegalArgumentException("processes must be at least 1, was " + count);
      }
    }

    /** The share of {@code tasks} that {@code usual} is of the usual 100,000. */
    int sized(int usual) {
      return Math.toIntExact((long) tasks * usual / USUAL_TASKS);
    }

    /** How long to watch: {@code usual}, or less where the plan is smaller than usual. */
    Duration lasting(Duration usual) {
      double share = Math.clamp((double) tasks / USUAL_TASKS, SHORTEST, 1);
      return Duration.ofNanos((long) ((double) usual.toNanos() * share));
    }
  }

  /** Who watches. Called by the thread that measures. */
  public interface Report {
    /** The next take begins. */
    void doing(String what);

    /** A figure is there: all its rounds were taken and confirmed. */
    void measured(Measurement one);
  }

  /** Starts worker processes that serve the benchmark's queue until they are closed. */
  @FunctionalInterface
  public interface WorkerProcesses {
    Started start(BenchDatabase db, Order order) throws Exception;
  }

  /**
   * The processes that are wanted.
   *
   * @param heapMebibytes the most each of them may use for its heap
   * @param jvmOptions what its JVM is told besides
   */
  public record Order(int processes, int concurrency, int heapMebibytes, List<String> jvmOptions) {
    public Order {
      jvmOptions = List.copyOf(jvmOptions);
    }
  }

  /** Processes that run; closing stops them gracefully and waits for their end. */
  public interface Started extends AutoCloseable {
    List<Long> pids();

    @Override
    void close();
  }

  private static final List<Scenario> SCENARIOS =
      List.of(
          new EnqueueSingle(),
          new EnqueueCoalesced(),
          new EnqueueBulk(),
          new Drain(),
          new Steady(),
          new Latency(),
          new Backlog(),
          new HeldSnapshot(),
          new Contention(),
          new BulkRetry(),
          new Idle(),
          new Startup());

  private Bench() {}

  /** The names, in the order in which {@code all} runs them. */
  public static List<String> names() {
    return SCENARIOS.stream().map(Scenario::name).toList();
  }

  /** How often {@link #measure} reports what it is doing. */
  public static int takes(String name, Plan plan) {
    return scenario(name).takes(plan);
  }

  /**
   * Measures one scenario.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  public static void measure(String name, BenchDatabase db, Plan plan, Report report)
      throws Exception {
    scenario(name).measure(db, plan, report);
  }

  private static Scenario scenario(String name) {
    Optional<Scenario> scenario = SCENARIOS.stream().filter(s -> s.name().equals(name)).findFirst();
    return scenario.orElseThrow(() ->
        new IllegalArgumentException(
            "there is no scenario '%s', only %s".formatted(name, String.join(", ", names()))));
  }
}
