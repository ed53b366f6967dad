package dev.dibs.operations;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Why a task is not running, or where it is: reasons in the order in which they matter. Immutable.
 *
 * @param id of the task
 * @param at when it was asked, by the database's clock
 * @param reasons at least one; never what the task carries
 */
public record Explanation(UUID id, Instant at, List<Reason> reasons) {
  /**
   * One reason.
   *
   * @param code a name that does not change, such as {@code queue-paused}; the README lists them
   * @param sentence what it is, for a person to read; it may quote names that anybody has chosen
   * @param since when it began, where that is known
   * @param until when it ends by itself, where that is known
   * @param details the same as a JSON object, for a program to read
   * @param cure what to do about it; empty where there is nothing to be done
   */
  public record Reason(
      String code,
      Effect effect,
      String sentence,
      Optional<Instant> since,
      Optional<Instant> until,
      String details,
      String cure) {}

  /** What a reason means for the task. */
  public enum Effect {
    /** A condition for running is met. */
    FULFILLED,
    /** This is what keeps it from running. */
    BLOCKING,
    /** Keeps it from nothing, and is worth knowing. */
    NOTE,
    /** Could not be checked. */
    UNKNOWN
  }

  static final String NEVER_HEARD_OF = "never-heard-of";

  public Explanation {
    reasons = List.copyOf(reasons);
  }

  /** Whether there is such a task, alive or in history. */
  public boolean isKnown() {
    return reasons.stream().noneMatch(reason -> reason.code().equals(NEVER_HEARD_OF));
  }

  /** What keeps the task from running; empty where nothing does. */
  public List<Reason> blocking() {
    return reasons.stream().filter(reason -> reason.effect() == Effect.BLOCKING).toList();
  }
}
