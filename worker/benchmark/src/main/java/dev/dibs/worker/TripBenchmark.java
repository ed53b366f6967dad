package dev.dibs.worker;

import dev.dibs.Outcome;
import dev.dibs.sql.Exchange;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullMarked;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What it costs, by task, to put a thousand outcomes into one exchange. */
@NullMarked
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class TripBenchmark {
  private static final int BATCH = 1_000;

  private final List<FinishedRun> runs =
      Tasks.of(BATCH).stream().map(task -> FinishedRun.of(task, Outcome.done(), null)).toList();
  private final Trip trip =
      new Trip(
          runs,
          new Exchange.Claim(
              UUID.randomUUID(), UUID.randomUUID(), List.of(), Map.of(), Set.of(Tasks.KIND)),
          false,
          System.nanoTime());

  @Benchmark
  @OperationsPerInvocation(BATCH)
  public Exchange.Outcomes outcomes() {
    return trip.outcomes();
  }
}
