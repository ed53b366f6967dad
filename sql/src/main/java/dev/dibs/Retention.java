package dev.dibs;

import java.time.Duration;

/**
 * How long the finished tasks of a queue are kept, by how they ended. Immutable.
 *
 * @param succeeded zero: not at all, and so for the others
 */
public record Retention(Duration succeeded, Duration dead, Duration cancelled) {
  private static final Duration LONGEST = Duration.ofDays(36_525);

  /** Seven days, whatever the outcome. */
  public static final Retention DEFAULT = of(Duration.ofDays(7));

  public Retention {
    check("succeeded", succeeded);
    check("dead", dead);
    check("cancelled", cancelled);
  }

  /** The same for all outcomes. */
  public static Retention of(Duration all) {
    return new Retention(all, all, all);
  }

  public Retention withSucceeded(Duration succeeded) {
    return new Retention(succeeded, dead, cancelled);
  }

  public Retention withDead(Duration dead) {
    return new Retention(succeeded, dead, cancelled);
  }

  public Retention withCancelled(Duration cancelled) {
    return new Retention(succeeded, dead, cancelled);
  }

  private static void check(String outcome, Duration kept) {
    if (kept.isNegative() || kept.compareTo(LONGEST) > 0)
      throw new IllegalArgumentException(
          "the retention of %s tasks must be between 0 and 100 years, was %s"
              .formatted(outcome, kept));
  }
}
