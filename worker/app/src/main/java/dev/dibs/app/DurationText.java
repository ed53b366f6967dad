package dev.dibs.app;

import dev.dibs.Text;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Durations as people write them: {@code 250ms}, {@code 90s}, {@code 1h30m}, {@code 2d}, or ISO
 * 8601.
 */
final class DurationText {
  private static final Map<String, ChronoUnit> UNITS =
      Map.of(
          "ms", ChronoUnit.MILLIS,
          "s", ChronoUnit.SECONDS,
          "m", ChronoUnit.MINUTES,
          "h", ChronoUnit.HOURS,
          "d", ChronoUnit.DAYS);
  private static final Pattern PART = Pattern.compile("(\\d+)(ms|s|m|h|d)");
  private static final Pattern ALL = Pattern.compile("(" + PART + ")+");

  private DurationText() {}

  /**
   * The duration a text means.
   *
   * @throws IllegalArgumentException if it means none
   */
  static Duration parse(String text) {
    try {
      return ALL.matcher(text).matches() ? sum(text) : Duration.parse(text);
    } catch (DateTimeException | ArithmeticException | NumberFormatException e) {
      throw new IllegalArgumentException(
          "a duration must be like 250ms, 30s, 5m, 2h, 1d or PT5M, was '"
              + Text.cut(Text.storable(text), 40)
              + "'");
    }
  }

  private static Duration sum(String text) {
    Duration sum = Duration.ZERO;
    for (Matcher part = PART.matcher(text); part.find(); ) {
      sum = sum.plus(Long.parseLong(part.group(1)), unit(part.group(2)));
    }
    return sum;
  }

  private static ChronoUnit unit(String name) {
    ChronoUnit unit = UNITS.get(name);
    if (unit == null) throw new IllegalArgumentException("no unit " + name);
    return unit;
  }

  /** The two largest units of a duration, such as {@code 3h 12m}; below a minute {@code 4.2s}. */
  static String show(Duration duration) {
    if (duration.toDays() > 0) return duration.toDays() + "d " + duration.toHoursPart() + "h";
    if (duration.toHours() > 0) return duration.toHours() + "h " + duration.toMinutesPart() + "m";
    if (duration.toMinutes() > 0)
      return duration.toMinutes() + "m " + duration.toSecondsPart() + "s";
    return duration.toSeconds() + "." + duration.toMillisPart() / 100 + "s";
  }

  /** A duration of whole seconds in full, such as {@code 1h30m}: what {@link #parse} reads. */
  static String write(Duration duration) {
    StringBuilder text = new StringBuilder();
    append(text, duration.toDays(), "d");
    append(text, duration.toHoursPart(), "h");
    append(text, duration.toMinutesPart(), "m");
    append(text, duration.toSecondsPart(), "s");
    return text.isEmpty() ? "0s" : text.toString();
  }

  private static void append(StringBuilder text, long count, String unit) {
    if (count > 0) text.append(count).append(unit);
  }
}
