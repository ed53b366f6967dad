package dev.dibs.worker;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collection;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Each benchmark runs; what it says after a millisecond is no figure. */
@NullMarked
@Timeout(60)
class BenchmarksTest {
  @Test
  void benchmarks_runOnce() throws RunnerException {
    var options =
        new OptionsBuilder()
            .forks(0)
            .warmupIterations(0)
            .measurementIterations(1)
            .measurementTime(TimeValue.milliseconds(1))
            .shouldFailOnError(true)
            .verbosity(VerboseMode.SILENT)
            .build();
    Collection<RunResult> results = new Runner(options).run();
    assertThat(results)
        .extracting(result -> result.getParams().getBenchmark().replaceFirst("^dev\\.dibs\\.", ""))
        .containsExactlyInAnyOrder(
            "CodecBenchmark.decode",
            "CodecBenchmark.decodeByBareJackson",
            "CodecBenchmark.encode",
            "CodecBenchmark.encodeByBareJackson",
            "Uuid7Benchmark.next",
            "Uuid7Benchmark.randomOfTheJdk",
            "worker.LedgerBenchmark.finishAndTakeTheNext",
            "worker.TripBenchmark.outcomes");
    assertThat(results)
        .allSatisfy(result -> assertThat(result.getPrimaryResult().getScore()).isPositive());
  }
}
