package dev.dibs;

import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A cron expression as it is read by a clock that is never put forward or back. Immutable. */
record CronExpression(CronTime time, CronDate date) {
  private static final int LONGEST = 200;
  private static final Map<String, String> NAMED =
      Map.of(
          "@yearly", "0 0 1 1 *",
          "@monthly", "0 0 1 * *",
          "@weekly", "0 0 * * 0",
          "@daily", "0 0 * * *",
          "@hourly", "0 * * * *");

  /**
   * Reads five fields (minute, hour, day of month, month, day of week), six with seconds in front,
   * or a name such as {@code @daily}.
   *
   * @throws IllegalArgumentException if the text is none of these, naming the field and the reason
   */
  static CronExpression parse(String text) {
    String shown = Text.cut(Text.storable(text), 80);
    if (text.length() > LONGEST)
      throw new IllegalArgumentException(
          "a cron expression must have at most %d characters, '%s' has %d"
              .formatted(LONGEST, shown, text.length()));
    String named = text.strip().toLowerCase(Locale.ROOT);
    String[] fields = NAMED.getOrDefault(named, text).strip().split("\\s+", -1);
    if (fields.length != 5 && fields.length != 6)
      throw new IllegalArgumentException(
          "a cron expression must be like '30 2 * * *' (minute, hour, day of month, month, day of week), with seconds in"
              + " front if it has six fields, or one of @yearly, @monthly, @weekly, @daily, @hourly; was '%s'"
                  .formatted(shown));
    try {
      return read(fields);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "cron expression '%s': %s".formatted(shown, e.getMessage()), e);
    }
  }

  private static CronExpression read(String[] fields) {
    int at = fields.length - 5;
    CronField second = CronPart.SECOND.read(at == 0 ? "0" : fields[0]);
    return new CronExpression(
        new CronTime(second, CronPart.MINUTE.read(fields[at]), CronPart.HOUR.read(fields[at + 1])),
        new CronDate(
            CronPart.DAY_OF_MONTH.read(fields[at + 2]),
            CronPart.MONTH.read(fields[at + 3]),
            CronPart.DAY_OF_WEEK.read(fields[at + 4])));
  }

  boolean has(LocalDateTime local) {
    return date.has(local.toLocalDate()) && time.has(local.toLocalTime());
  }

  /** The first that is not before {@code local}, a whole second. */
  LocalDateTime from(LocalDateTime local) {
    LocalDate day = local.toLocalDate();
    if (date.has(day)) {
      @Nullable LocalTime later = time.from(local.toLocalTime());
      if (later != null) return day.atTime(later);
    }
    return date.from(day.plusDays(1)).atTime(time.first());
  }
}
