package dev.dibs.app;

import dev.dibs.bench.Measurement;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.stream.Collectors;

/** The figures of a benchmark for a person. Owned by one thread. */
final class BenchTable {
  private final TextTable table =
      new TextTable(
          "SCENARIO",
          "VARIANT",
          "TASKS",
          "PROCESSES",
          "TASKS/S",
          "MIN",
          "MAX",
          "LIMIT/S",
          "RATIO",
          "P50 MS",
          "P99 MS",
          "WAL B/TASK",
          "COMMITS/TASK",
          "ALSO");

  void add(Measurement one) {
    table.add(
        one.setup().scenario(),
        one.setup().variant(),
        one.setup().tasks(),
        one.setup().processes(),
        cell(one.pace().perSecond(), 0),
        cell(one.pace().slowest(), 0),
        cell(one.pace().fastest(), 0),
        cell(one.limitPerSecond(), 0),
        cell(one.ratio(), 2),
        cell(one.times().p50Ms(), 2),
        cell(one.times().p99Ms(), 2),
        cell(one.cost().walBytes(), 0),
        cell(one.cost().commits(), 4),
        one.also().entrySet().stream()
            .map(figure -> figure.getKey() + " " + cell(figure.getValue(), 2))
            .collect(Collectors.joining(", ")));
  }

  private static Object cell(double value, int decimals) {
    return Double.isFinite(value)
        ? new BigDecimal(value).setScale(decimals, RoundingMode.HALF_UP)
        : "";
  }

  /** None while nothing was measured. */
  List<String> lines() {
    return table.isEmpty() ? List.of() : table.lines();
  }
}
