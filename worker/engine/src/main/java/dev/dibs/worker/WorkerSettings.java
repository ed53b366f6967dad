package dev.dibs.worker;

import dev.dibs.Codec;
import dev.dibs.sql.Schema;
import java.time.Duration;
import java.util.List;

/**
 * How a worker works. Immutable.
 *
 * @param lease how long a silent process keeps its tasks; it beats five times a lease and fences
 *     itself after four fifths; at least 500 ms
 * @param pollInterval the longest an idle process goes without looking for tasks; bells wake it
 *     sooner
 * @param patience how long handlers are waited for
 * @param maxLosses a task that lost its worker this often is dead; at least 1
 */
public record WorkerSettings(
    Schema schema,
    Codec codec,
    Duration lease,
    Duration pollInterval,
    Patience patience,
    int maxLosses) {
  /**
   * How long handlers are waited for.
   *
   * @param drainTimeout how long {@link Worker#close} waits for running handlers before it
   *     interrupts them
   * @param interruptGrace how long a handler may go on after it was interrupted, by its timeout, a
   *     cancellation or a lost lease, before its run counts as stuck and its slot is opened again
   */
  public record Patience(Duration drainTimeout, Duration interruptGrace) {
    private static final Duration LONGEST_PATIENCE = Duration.ofDays(30);

    /** Drains for 20 s; a run is stuck 30 s after its interrupt. */
    public static final Patience DEFAULT =
        new Patience(Duration.ofSeconds(20), Duration.ofSeconds(30));

    public Patience {
      check("drainTimeout", drainTimeout);
      check("interruptGrace", interruptGrace);
    }

    private static void check(String name, Duration duration) {
      if (duration.isNegative() || duration.compareTo(LONGEST_PATIENCE) > 0)
        throw new IllegalArgumentException(
            name + " must be at least 0 and at most 30 days, was " + duration);
    }
  }

  private static final Duration SHORTEST_LEASE = Duration.ofMillis(500);
  private static final Duration LONGEST = Duration.ofDays(30);

  /**
   * Schema {@code dibs}, JSON by Jackson, lease 15 s, poll every 2.5 s, the default patience, dead
   * after 3 losses.
   */
  public static final WorkerSettings DEFAULT =
      new WorkerSettings(
          Schema.DEFAULT,
          Codec.jackson(),
          Duration.ofSeconds(15),
          Duration.ofMillis(2_500),
          Patience.DEFAULT,
          3);

  public WorkerSettings {
    if (lease.compareTo(SHORTEST_LEASE) < 0) {
      throw new IllegalArgumentException("lease must be at least 500 ms, was " + lease);
    }
    if (!pollInterval.isPositive()) {
      throw new IllegalArgumentException("pollInterval must be positive, was " + pollInterval);
    }
    for (Duration duration : List.of(lease, pollInterval)) {
      if (duration.compareTo(LONGEST) > 0) {
        throw new IllegalArgumentException(
            "lease and pollInterval must be at most 30 days, was " + duration);
      }
    }
    if (maxLosses < 1) {
      throw new IllegalArgumentException("maxLosses must be >= 1, was " + maxLosses);
    }
  }

  /** How long {@link Worker#close} waits for running handlers before it interrupts them. */
  public Duration drainTimeout() {
    return patience.drainTimeout();
  }

  /** How often the process beats. */
  public Duration beatInterval() {
    return lease.dividedBy(5);
  }

  /**
   * After so long without an accepted beat the process fences itself: well before others take its
   * tasks.
   */
  public Duration fenceAfter() {
    return lease.multipliedBy(4).dividedBy(5);
  }

  public WorkerSettings withSchema(Schema schema) {
    return new WorkerSettings(schema, codec, lease, pollInterval, patience, maxLosses);
  }

  public WorkerSettings withCodec(Codec codec) {
    return new WorkerSettings(schema, codec, lease, pollInterval, patience, maxLosses);
  }

  public WorkerSettings withLease(Duration lease) {
    return new WorkerSettings(schema, codec, lease, pollInterval, patience, maxLosses);
  }

  public WorkerSettings withPollInterval(Duration pollInterval) {
    return new WorkerSettings(schema, codec, lease, pollInterval, patience, maxLosses);
  }

  public WorkerSettings withDrainTimeout(Duration drainTimeout) {
    var changed = new Patience(drainTimeout, patience.interruptGrace());
    return new WorkerSettings(schema, codec, lease, pollInterval, changed, maxLosses);
  }

  public WorkerSettings withInterruptGrace(Duration interruptGrace) {
    var changed = new Patience(patience.drainTimeout(), interruptGrace);
    return new WorkerSettings(schema, codec, lease, pollInterval, changed, maxLosses);
  }

  public WorkerSettings withMaxLosses(int maxLosses) {
    return new WorkerSettings(schema, codec, lease, pollInterval, patience, maxLosses);
  }
}
