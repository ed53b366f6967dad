package dev.dibs;

import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.zone.ZoneOffsetTransition;
import java.time.zone.ZoneRules;
import org.jspecify.annotations.Nullable;

/**
 * A cron expression as it is read by the clocks of a zone, which are put forward and back.
 * Immutable.
 *
 * <p>Time is walked from one transition to the next; between them the clock goes evenly. Where it
 * is put forward, the times it leaves out are made up for by one tick at the first instant after
 * them. Where it is put back, fixed times tick when they come first; an expression with a star
 * among its seconds, minutes or hours follows the clock and ticks both times.
 */
record CronClock(CronExpression expression, ZoneRules rules) {

  /** The first tick after {@code after}. */
  Instant next(Instant after) {
    ZoneOffset offset = rules.getOffset(after);
    LocalDateTime local = LocalDateTime.ofEpochSecond(after.getEpochSecond() + 1, 0, offset);
    if (!expression.time().isInterval()) local = afterRepeated(local, after);
    @Nullable ZoneOffsetTransition change = rules.nextTransition(after);
    while (true) {
      LocalDateTime candidate = expression.from(local);
      if (change == null || candidate.isBefore(change.getDateTimeBefore()))
        return candidate.toInstant(offset);
      if (change.isGap() && isMadeUpFor(change)) return change.getInstant();
      boolean repeats = change.isOverlap() && expression.time().isInterval();
      offset = change.getOffsetAfter();
      // Fixed times that come again have ticked already: go on where nothing is repeated.
      local = repeats || change.isGap() ? change.getDateTimeAfter() : change.getDateTimeBefore();
      change = rules.nextTransition(change.getInstant());
    }
  }

  /** No earlier than the end of the hour that is being repeated at {@code now}, if one is. */
  private LocalDateTime afterRepeated(LocalDateTime local, Instant now) {
    @Nullable ZoneOffsetTransition last = rules.previousTransition(now.plusNanos(1));
    if (last == null || !last.isOverlap()) return local;
    return local.isBefore(last.getDateTimeBefore()) ? last.getDateTimeBefore() : local;
  }

  /**
   * Whether a time that {@code gap} leaves out is owed a tick. Every hour's are not, when the clock
   * shows the same minutes as long after the gap: the tick comes then, an hour after the last one.
   */
  private boolean isMadeUpFor(ZoneOffsetTransition gap) {
    LocalDateTime end = gap.getDateTimeAfter();
    LocalDateTime skipped = expression.from(gap.getDateTimeBefore());
    while (skipped.isBefore(end)) {
      boolean comesAnyway =
          expression.time().hour().starred() && expression.has(skipped.plus(gap.getDuration()));
      if (!comesAnyway) return true;
      skipped = expression.from(skipped.plusSeconds(1));
    }
    return false;
  }
}
