package dev.dibs;

import java.util.Locale;

/**
 * What becomes of a task whose unique key another one holds.
 *
 * <p>Those that change the other one change it only until it is first claimed: from then on the new
 * task goes in beside it, so that nothing new is lost. They hold their own key no longer than that
 * either, whatever their scope says.
 */
public enum OnConflict {
  /** The one that is there stays, and its id is the answer. */
  KEEP,
  /** The same, told apart: the new one was not wanted. */
  REJECT,
  /** The waiting one takes over kind, payload, headers and run time: a debounce. */
  REPLACE,
  /** The waiting one takes over kind, payload and headers, and runs when it would: a throttle. */
  REPLACE_PAYLOAD,
  /** The waiting one takes over the run time, and keeps the rest. */
  POSTPONE;

  /** Whether the one that is there may be changed. */
  public boolean replaces() {
    return switch (this) {
      case KEEP, REJECT -> false;
      case REPLACE, REPLACE_PAYLOAD, POSTPONE -> true;
    };
  }

  /** As it is written in SQL, files and options: {@code replace-payload}. */
  public String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * The reverse of {@link #text}.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  public static OnConflict parse(String text) {
    for (OnConflict policy : values()) if (policy.text().equals(text)) return policy;
    throw new IllegalArgumentException(
        "on conflict must be keep, reject, replace, replace-payload or postpone, was '%s'"
            .formatted(Text.cut(Text.storable(text), 40)));
  }
}
