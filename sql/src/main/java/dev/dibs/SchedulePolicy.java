package dev.dibs;

import java.time.Duration;

/**
 * How a schedule deals with what goes otherwise than planned. Immutable.
 *
 * @param misfire what becomes of ticks that nobody was there for
 * @param overlap whether a tick brings a task while the last one's is unfinished
 * @param jitter a task runs up to so much later than its tick, by chance; at most a day
 */
public record SchedulePolicy(Misfire misfire, Overlap overlap, Duration jitter) {
  private static final Duration MOST_JITTER = Duration.ofDays(1);

  /** Missed ticks run once, tasks may overlap, no jitter. */
  public static final SchedulePolicy DEFAULT =
      new SchedulePolicy(new Misfire.Once(), Overlap.ALLOW, Duration.ZERO);

  public SchedulePolicy {
    if (jitter.isNegative() || jitter.compareTo(MOST_JITTER) > 0)
      throw new IllegalArgumentException("jitter must be between 0 and 1 day, was " + jitter);
  }

  public SchedulePolicy withMisfire(Misfire misfire) {
    return new SchedulePolicy(misfire, overlap, jitter);
  }

  public SchedulePolicy withOverlap(Overlap overlap) {
    return new SchedulePolicy(misfire, overlap, jitter);
  }

  public SchedulePolicy withJitter(Duration jitter) {
    return new SchedulePolicy(misfire, overlap, jitter);
  }
}
