package dev.dibs.bench;

import java.util.List;

/** One question to the database that is measured. */
interface Scenario {
  String name();

  /** How often {@link #measure} will report: so a watcher sees how far it is. */
  int takes(Bench.Plan plan);

  /** Measures, as often as the plan says; {@code report} hears of what is being done. */
  List<Measurement> measure(BenchDatabase db, Bench.Plan plan, Report report) throws Exception;

  /** Who watches. */
  @FunctionalInterface
  interface Report {
    void doing(String what);
  }
}
