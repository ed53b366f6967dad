package dev.dibs;

import java.util.Locale;

/**
 * How urgent a task is within its queue. A lower priority is still granted a small share of the
 * claims.
 */
public enum Priority {
  URGENT(1),
  HIGH(2),
  NORMAL(3),
  LOW(4);

  private final short level;

  Priority(int level) {
    this.level = (short) level;
  }

  /** The number the database keeps: 1 for urgent to 4 for low. */
  public short level() {
    return level;
  }

  /**
   * The priority kept as {@code level}.
   *
   * @throws IllegalArgumentException if the level is not 1 to 4
   */
  public static Priority ofLevel(int level) {
    return switch (level) {
      case 1 -> URGENT;
      case 2 -> HIGH;
      case 3 -> NORMAL;
      case 4 -> LOW;
      default ->
          throw new IllegalArgumentException(
              "priority must be 1 (urgent) to 4 (low), was " + level);
    };
  }

  /**
   * The priority called {@code name}, in any case, or given as its number.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Priority parse(String name) {
    for (Priority priority : values()) {
      String level = Short.toString(priority.level);
      if (priority.name().equals(name.toUpperCase(Locale.ROOT)) || level.equals(name))
        return priority;
    }
    throw new IllegalArgumentException(
        "priority must be urgent, high, normal, low or 1 to 4, was '%s'"
            .formatted(Text.cut(Text.storable(name), 40)));
  }
}
