package dev.dibs;

import java.time.LocalTime;
import org.jspecify.annotations.Nullable;

/** The times of day that a cron expression names. Immutable. */
record CronTime(CronField second, CronField minute, CronField hour) {

  /** Whether it follows the clock, as {@code *} and {@code *}/n do, and names no fixed times. */
  boolean isInterval() {
    return second.starred() || minute.starred() || hour.starred();
  }

  boolean has(LocalTime time) {
    return hour.has(time.getHour()) && minute.has(time.getMinute()) && second.has(time.getSecond());
  }

  LocalTime first() {
    return LocalTime.of(hour.first(), minute.first(), second.first());
  }

  /** The first that is not before {@code time}, a whole second; null if the day has none left. */
  @Nullable LocalTime from(LocalTime time) {
    int h = time.getHour();
    if (hour.has(h)) {
      int m = time.getMinute();
      int s = minute.has(m) ? second.from(time.getSecond()) : CronField.NONE;
      if (s != CronField.NONE) return LocalTime.of(h, m, s);
      m = minute.from(m + 1);
      if (m != CronField.NONE) return LocalTime.of(h, m, second.first());
    }
    h = hour.from(h + 1);
    return h == CronField.NONE ? null : LocalTime.of(h, minute.first(), second.first());
  }
}
