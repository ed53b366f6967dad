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
 * @param drainTimeout how long {@link Worker#close} waits for running handlers before it interrupts
 *     them
 * @param maxLosses a task that lost its worker this often is dead; at least 1
 */
public record WorkerSettings(
    Schema schema,
    Codec codec,
    Duration lease,
    Duration pollInterval,
    Duration drainTimeout,
    int maxLosses) {
  private static final Duration SHORTEST_LEASE = Duration.ofMillis(500);
  private static final Duration LONGEST = Duration.ofDays(30);

  /**
   * Schema {@code dibs}, JSON by Jackson, lease 15 s, poll every second, drain for 20 s, dead after
   * 3 losses.
   */
  public static final WorkerSettings DEFAULT =
      new WorkerSettings(
          Schema.DEFAULT,
          Codec.jackson(),
          Duration.ofSeconds(15),
          Duration.ofSeconds(1),
          Duration.ofSeconds(20),
          3);

  public WorkerSettings {
    if (lease.compareTo(SHORTEST_LEASE) < 0) {
      throw new IllegalArgumentException("lease must be at least 500 ms, was " + lease);
    }
    if (!pollInterval.isPositive()) {
      throw new IllegalArgumentException("pollInterval must be positive, was " + pollInterval);
    }
    if (drainTimeout.isNegative()) {
      throw new IllegalArgumentException("drainTimeout must not be negative, was " + drainTimeout);
    }
    for (Duration duration : List.of(lease, pollInterval, drainTimeout)) {
      if (duration.compareTo(LONGEST) > 0) {
        throw new IllegalArgumentException(
            "lease, pollInterval and drainTimeout must be at most 30 days, was " + duration);
      }
    }
    if (maxLosses < 1) {
      throw new IllegalArgumentException("maxLosses must be >= 1, was " + maxLosses);
    }
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
    return new WorkerSettings(schema, codec, lease, pollInterval, drainTimeout, maxLosses);
  }

  public WorkerSettings withCodec(Codec codec) {
    return new WorkerSettings(schema, codec, lease, pollInterval, drainTimeout, maxLosses);
  }

  public WorkerSettings withLease(Duration lease) {
    return new WorkerSettings(schema, codec, lease, pollInterval, drainTimeout, maxLosses);
  }

  public WorkerSettings withPollInterval(Duration pollInterval) {
    return new WorkerSettings(schema, codec, lease, pollInterval, drainTimeout, maxLosses);
  }

  public WorkerSettings withDrainTimeout(Duration drainTimeout) {
    return new WorkerSettings(schema, codec, lease, pollInterval, drainTimeout, maxLosses);
  }

  public WorkerSettings withMaxLosses(int maxLosses) {
    return new WorkerSettings(schema, codec, lease, pollInterval, drainTimeout, maxLosses);
  }
}
