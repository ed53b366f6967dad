package dev.dibs.bench;

/** One question to the database that is measured. */
interface Scenario {
  String name();

  /** How often {@link #measure} will report what it does: so a watcher sees how far it is. */
  int takes(Bench.Plan plan);

  /**
   * Measures, as often as the plan says; {@code report} hears of what is being done, and of each
   * figure as soon as there is one.
   */
  void measure(BenchDatabase db, Bench.Plan plan, Bench.Report report) throws Exception;
}
