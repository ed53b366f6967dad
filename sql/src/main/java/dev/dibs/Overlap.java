package dev.dibs;

import java.util.Locale;

/** Whether a tick brings a task while that of the last tick is unfinished. */
public enum Overlap {
  /** Each tick brings its task. */
  ALLOW,
  /** The tick passes; a task that waits for its retry is unfinished, too. */
  SKIP;

  /** The word for it in the database and on the command line. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The policy called {@code text}, in any case.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Overlap parse(String text) {
    for (Overlap overlap : values()) if (overlap.text().equalsIgnoreCase(text)) return overlap;
    throw new IllegalArgumentException(
        "overlap must be allow or skip, was '" + Text.cut(Text.storable(text), 40) + "'");
  }
}
