package dev.dibs.bench;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One figure of the benchmark, with what it was measured on and beside. Immutable.
 *
 * @param limitPerSecond what plain JDBC did with the same rows; not a number where there is none
 * @param also figures that only this scenario has, by the names that {@code --json} prints
 */
public record Measurement(
    Setup setup,
    Pace pace,
    Times times,
    Cost cost,
    double limitPerSecond,
    Map<String, Double> also) {
  /** What ran. */
  public record Setup(
      String scenario, String variant, long tasks, int concurrency, int processes, int rounds) {}

  /** How fast it was: the median of the rounds, and the slowest and the fastest of them. */
  public record Pace(double seconds, double perSecond, double slowest, double fastest) {
    static final Pace UNKNOWN = new Pace(Double.NaN, Double.NaN, Double.NaN, Double.NaN);
  }

  /** Half took no longer than {@code p50Ms}, 99 of a hundred no longer than {@code p99Ms}. */
  public record Times(double p50Ms, double p99Ms) {
    static final Times UNKNOWN = new Times(Double.NaN, Double.NaN);
  }

  /** What it cost the database, by task; a commit that wrote nothing is not counted. */
  public record Cost(double walBytes, double commits) {
    static final Cost UNKNOWN = new Cost(Double.NaN, Double.NaN);
  }

  public Measurement {
    also = Collections.unmodifiableMap(new LinkedHashMap<>(also));
  }

  /** A measurement of something that has no rate. */
  static Measurement of(Setup setup, Times times, Map<String, Double> also) {
    return new Measurement(setup, Pace.UNKNOWN, times, Cost.UNKNOWN, Double.NaN, also);
  }

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
    named.put("rounds", setup.rounds());
    put(named, "seconds", pace.seconds());
    put(named, "tasks_per_s", pace.perSecond());
    put(named, "min_tasks_per_s", pace.slowest());
    put(named, "max_tasks_per_s", pace.fastest());
    put(named, "p50_ms", times.p50Ms());
    put(named, "p99_ms", times.p99Ms());
    put(named, "wal_bytes_per_task", cost.walBytes());
    put(named, "commits_per_task", cost.commits());
    put(named, "limit_tasks_per_s", limitPerSecond);
    put(named, "ratio", ratio());
    also.forEach((name, value) -> put(named, name, value));
    return named;
  }

  private static void put(Map<String, Object> named, String name, double value) {
    named.put(name, Double.isFinite(value) ? (Object) (Math.round(value * 1e4) / 1e4) : null);
  }
}
