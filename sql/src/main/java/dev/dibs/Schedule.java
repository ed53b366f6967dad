package dev.dibs;

import java.time.Duration;

/**
 * A task that comes again and again. Immutable; the methods below answer a changed copy.
 *
 * <p>Declare it to a worker, which enters it in the database when it starts, or add it by {@code
 * Schedules} or {@code dibs schedules add}. Its tasks carry the headers {@code dibs-schedule} and
 * {@code dibs-tick}.
 *
 * @param name 1 to 128 characters without control characters
 * @param task what each tick enqueues, under an id of its own; it must be neither delayed nor
 *     unique
 * @param version a declaration replaces what stands in the database under a lower version, and
 *     nothing else; at least 1
 */
public record Schedule(
    String name, Rhythm rhythm, NewTask<?> task, SchedulePolicy policy, int version) {
  /** The header that holds the schedule's name. */
  public static final String NAME_HEADER = "dibs-schedule";

  /** The header that holds the tick, such as {@code 2026-10-25T00:30:00Z}. */
  public static final String TICK_HEADER = "dibs-tick";

  public Schedule {
    Names.check("schedule", name);
    if (!(task.options().due() instanceof Due.Now))
      throw new IllegalArgumentException(
          "the task of schedule '%s' must not be delayed: it is due at its tick; there is jitter"
              .formatted(name));
    if (task.options().unique().isPresent())
      throw new IllegalArgumentException(
          "the task of schedule '%s' must not be unique: its overlap says what an unfinished one keeps out"
              .formatted(name));
    if (version < 1)
      throw new IllegalArgumentException(
          "the version of schedule '%s' must be >= 1, was %d".formatted(name, version));
  }

  /** A schedule with the default policy, version 1. */
  public static Schedule of(String name, Rhythm rhythm, NewTask<?> task) {
    return new Schedule(name, rhythm, task, SchedulePolicy.DEFAULT, 1);
  }

  /** The same, with another way to deal with missed ticks; without this they run once. */
  public Schedule misfire(Misfire misfire) {
    return policy(policy.withMisfire(misfire));
  }

  /** The same, with or without overlapping tasks; without this they may overlap. */
  public Schedule overlap(Overlap overlap) {
    return policy(policy.withOverlap(overlap));
  }

  /** The same, each task up to {@code jitter} later than its tick. */
  public Schedule jitter(Duration jitter) {
    return policy(policy.withJitter(jitter));
  }

  /** The same under another version: raise it with every change to what is declared. */
  public Schedule version(int version) {
    return new Schedule(name, rhythm, task, policy, version);
  }

  private Schedule policy(SchedulePolicy changed) {
    return new Schedule(name, rhythm, task, changed, version);
  }
}
