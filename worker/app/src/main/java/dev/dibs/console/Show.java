package dev.dibs.console;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.TextStyle;
import java.util.Locale;

/**
 * Times, durations and numbers as people read them. Immutable.
 *
 * @param now by the clock of the database, whose times these are
 */
record Show(Instant now, ZoneId zone, boolean isAbsolute) {
  private static final DateTimeFormatter LOCAL =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSS xxx", Locale.ROOT);
  private static final DateTimeFormatter UTC =
      DateTimeFormatter.ofPattern("HH:mm:ss.SSS 'UTC'", Locale.ROOT);
  private static final DateTimeFormatter BRIEF =
      DateTimeFormatter.ofPattern("MM-dd HH:mm:ss", Locale.ROOT);
  private static final DateTimeFormatter CLOCK =
      DateTimeFormatter.ofPattern("HH:mm:ss", Locale.ROOT);
  private static final long MILLION = 1_000_000;

  /** By so much the clock of the database may be misjudged here. */
  private static final Duration SKEW = Duration.ofSeconds(5);

  /** {@code 3 min ago}, {@code in 2 h}, or the time itself if that is what is wanted. */
  String time(Instant time) {
    return isAbsolute ? brief(time) : relative(time);
  }

  /** Of what has happened: a clock that is ahead does not make it yet to come. */
  String past(Instant time) {
    if (isAbsolute || !time.isAfter(now)) return time(time);
    return Duration.between(now, time).compareTo(SKEW) <= 0 ? "now" : "now (clock skew)";
  }

  String relative(Instant time) {
    Duration past = Duration.between(time, now);
    if (past.abs().compareTo(Duration.ofSeconds(1)) < 0) return "now";
    return past.isNegative() ? "in " + coarse(past.negated()) : coarse(past) + " ago";
  }

  String brief(Instant time) {
    return BRIEF.format(time.atZone(zone));
  }

  /** The time of day. */
  String clock(Instant time) {
    return CLOCK.format(time.atZone(zone));
  }

  /** In full, with the zone and in UTC. */
  String absolute(Instant time) {
    return LOCAL.format(time.atZone(zone)) + " (" + UTC.format(time.atOffset(ZoneOffset.UTC)) + ")";
  }

  String zoneName() {
    return zone.equals(ZoneOffset.UTC) ? "UTC" : zone.getDisplayName(TextStyle.NARROW, Locale.ROOT);
  }

  /** How long something has lasted by now; clocks that differ make no negative time. */
  String since(Instant time) {
    Duration past = Duration.between(time, now);
    return past.isNegative() ? "0 ms" : coarse(past);
  }

  /** One unit. */
  static String coarse(Duration duration) {
    long seconds = duration.toSeconds();
    if (seconds < 1) return Math.max(0, duration.toMillis()) + " ms";
    if (seconds < 60) return seconds + " s";
    if (seconds < 3_600) return seconds / 60 + " min";
    if (seconds < 48 * 3_600) return seconds / 3_600 + " h";
    return seconds / 86_400 + " d";
  }

  /** Two units: {@code 84 ms}, {@code 1.24 s}, {@code 3 min 05 s}, {@code 2 h 10 min}. */
  static String exact(Duration duration) {
    long millis = Math.max(0, duration.toMillis());
    if (millis < 1_000) return millis + " ms";
    if (millis < 60_000) return String.format(Locale.ROOT, "%.2f s", millis / 1e3);
    long seconds = millis / 1_000;
    if (seconds < 3_600)
      return seconds / 60 + String.format(Locale.ROOT, " min %02d s", seconds % 60);
    if (seconds < 86_400)
      return seconds / 3_600 + String.format(Locale.ROOT, " h %02d min", seconds / 60 % 60);
    long hours = seconds / 3_600 % 24;
    return seconds / 86_400 + " d" + (hours == 0 ? "" : " " + hours + " h");
  }

  /** {@code 12,345}; from a million {@code 1.24 M}. */
  static String count(long count) {
    return count < MILLION
        ? String.format(Locale.ROOT, "%,d", count)
        : String.format(Locale.ROOT, "%.2f M", count / 1e6);
  }

  /** Every digit. */
  static String full(long count) {
    return String.format(Locale.ROOT, "%,d", count);
  }

  /** {@code 59 k}, {@code 1.2 M}: no more digits than an estimate has. */
  static String roughly(long count) {
    if (count < 1_000) return full(count);
    return count < MILLION - 500
        ? Math.round(count / 1e3) + " k"
        : String.format(Locale.ROOT, "%.1f M", count / 1e6);
  }

  /** A second, or a minute where that says more. */
  static String rate(double perSecond) {
    if (perSecond == 0) return "0";
    if (perSecond < 1) return String.format(Locale.ROOT, "%.3g/min", perSecond * 60);
    return perSecond < 10
        ? String.format(Locale.ROOT, "%.1f/s", perSecond)
        : String.format(Locale.ROOT, "%,.0f/s", perSecond);
  }

  static String plural(long count, String noun) {
    return count(count) + " " + noun + (count == 1 ? "" : "s");
  }

  /** Its beginning, of whole characters. */
  static String cut(String text, int longest) {
    if (text.length() <= longest) return text;
    return text.substring(
        0, Character.isHighSurrogate(text.charAt(longest - 1)) ? longest - 1 : longest);
  }

  /** The first line, cut. */
  static String firstLine(String text, int longest) {
    String line = text.lines().findFirst().orElse("");
    return line.length() <= longest ? line : line.substring(0, longest) + "…";
  }
}
