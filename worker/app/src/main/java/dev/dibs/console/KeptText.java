package dev.dibs.console;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How long something is kept, as a person writes it: {@code 7d}, {@code 1d12h}, {@code 0}. */
final class KeptText {
  private static final Pattern ALL =
      Pattern.compile("(?:(\\d{1,6})d)?(?:(\\d{1,7})h)?(?:(\\d{1,8})m)?(?:(\\d{1,9})s)?");

  private KeptText() {}

  /**
   * What was written.
   *
   * @throws IllegalArgumentException if it is no such text
   */
  static Duration parse(String text) {
    if (text.equals("0")) return Duration.ZERO;
    Matcher parts = ALL.matcher(text);
    if (text.isEmpty() || !parts.matches()) throw new IllegalArgumentException(text);
    return Duration.ofDays(count(parts, 1))
        .plusHours(count(parts, 2))
        .plusMinutes(count(parts, 3))
        .plusSeconds(count(parts, 4));
  }

  private static long count(Matcher parts, int group) {
    return parts.group(group) == null ? 0 : Long.parseLong(parts.group(group));
  }

  /** As {@link #parse} reads it, in whole seconds. */
  static String of(Duration kept) {
    var text = new StringBuilder();
    append(text, kept.toDays(), "d");
    append(text, kept.toHoursPart(), "h");
    append(text, kept.toMinutesPart(), "m");
    append(text, kept.toSecondsPart(), "s");
    return text.isEmpty() ? "0" : text.toString();
  }

  private static void append(StringBuilder text, long count, String unit) {
    if (count > 0) text.append(count).append(unit);
  }
}
