package dev.dibs.operations;

import java.time.Duration;

/** Spans of time as people say them. */
final class Spans {
  private Spans() {}

  /** The two largest units, such as {@code 2 h 10 min}; below a minute {@code 4 s}. */
  static String show(Duration span) {
    if (span.toDays() > 0) return span.toDays() + " d " + span.toHoursPart() + " h";
    if (span.toHours() > 0) return span.toHours() + " h " + span.toMinutesPart() + " min";
    if (span.toMinutes() > 0) return span.toMinutes() + " min " + span.toSecondsPart() + " s";
    return span.toSeconds() + " s";
  }
}
