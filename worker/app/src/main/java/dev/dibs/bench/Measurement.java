package dev.dibs.bench;

import java.util.LinkedHashMap;
import java.util.Map;

/** One figure of the benchmark, with what it was measured on and beside. */
public record Measurement(Setup setup, Pace pace, Cost cost, double limitPerSecond) {
  /** What ran. */
  public record Setup(
      String scenario, String variant, long tasks, int concurrency, int processes) {}

  /**
   * How fast it was: the median of the rounds.
   *
   * @param spread the fastest round minus the slowest, as a share of the median
   * @param p50Ms half took no longer; not a number where nothing was timed apiece
   */
  public record Pace(double seconds, double perSecond, double spread, double p50Ms, double p99Ms) {}

  /** What it cost the database, by task. */
  public record Cost(double walBytes, double commits) {}

  /** How near it came to the limit; not a number where there is none. */
  public double ratio() {
    return pace.perSecond() / limitPerSecond;
  }

  /** The same by the names that {@code --json} prints; what was not measured is null. */
  public Map<String, Object> named() {
    Map<String, Object> named = new LinkedHashMap<>();
    named.put("scenario", setup.scenario());
    named.put("variant", setup.variant());
    named.put("tasks", setup.tasks());
    named.put("concurrency", setup.concurrency());
    named.put("processes", setup.processes());
    put(named, "seconds", pace.seconds());
    put(named, "tasks_per_s", pace.perSecond());
    put(named, "spread", pace.spread());
    put(named, "p50_ms", pace.p50Ms());
    put(named, "p99_ms", pace.p99Ms());
    put(named, "wal_bytes_per_task", cost.walBytes());
    put(named, "commits_per_task", cost.commits());
    put(named, "limit_tasks_per_s", limitPerSecond);
    put(named, "ratio", ratio());
    return named;
  }

  private static void put(Map<String, Object> named, String name, double value) {
    named.put(name, Double.isFinite(value) ? (Object) (Math.round(value * 1e3) / 1e3) : null);
  }
}
