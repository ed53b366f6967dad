package dev.dibs.console;

import java.util.Locale;

/** What a person may do; each role may also do what those before it may. */
public enum Role {
  /** Sees everything but payloads. */
  VIEWER,
  /** Acts on tasks, queues, kinds, schedules and workers, and reveals payloads. */
  OPERATOR,
  /** Deletes tasks, says how long what has ended is kept, and takes the audit as a file, too. */
  ADMIN;

  boolean covers(Role needed) {
    return compareTo(needed) >= 0;
  }

  /** As it is written in files and on pages: {@code operator}. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The role of that word.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Role of(String word) {
    for (Role role : values()) {
      if (role.word().equals(word)) return role;
    }
    throw new IllegalArgumentException("a role is viewer, operator or admin, was '" + word + "'");
  }
}
