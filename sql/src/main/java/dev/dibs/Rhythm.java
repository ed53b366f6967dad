package dev.dibs;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** When a schedule ticks: at whole seconds, for ever. Immutable. */
public sealed interface Rhythm {

  /** The first tick after {@code after}. */
  Instant next(Instant after);

  /**
   * Ticks by the clocks of {@code zone}.
   *
   * @param expression five fields (minute, hour, day of month, month, day of week), or six with
   *     seconds in front
   * @throws IllegalArgumentException if the expression means nothing, naming the field and the
   *     reason
   */
  static Rhythm cron(String expression, ZoneId zone) {
    return new Cron(expression, zone);
  }

  /** Ticks every {@code interval}, counted from 1970-01-01T00:00Z, so that all processes agree. */
  static Rhythm every(Duration interval) {
    return new Every(interval);
  }

  /**
   * The last ticks until {@code until}, the oldest first.
   *
   * @param first a tick, before which there are none
   * @param most so many at most
   */
  default List<Instant> latest(Instant first, Instant until, int most) {
    Duration window = Duration.ofMinutes(1);
    while (true) {
      Instant start = until.minus(window);
      boolean all = !start.isAfter(first);
      Deque<Instant> ticks = new ArrayDeque<>();
      Instant tick = all ? first : next(start);
      for (; !tick.isAfter(until); tick = next(tick)) {
        ticks.addLast(tick);
        if (ticks.size() > most) ticks.removeFirst();
      }
      if (all || ticks.size() == most) return List.copyOf(ticks);
      window = window.multipliedBy(4); // so that a year of seconds is not walked for the last few
    }
  }

  /**
   * By the clocks of a zone, in the manner of cron.
   *
   * <p>A time that the clocks leave out, as they are put forward, ticks once, at the first instant
   * after. A time that they show twice, as they are put back, ticks the first time, unless seconds,
   * minutes or hours have a star: then at either.
   */
  record Cron(String expression, ZoneId zone) implements Rhythm {
    public Cron {
      CronExpression.parse(expression);
      expression = expression.strip().replaceAll("\\s+", " ");
    }

    @Override
    public Instant next(Instant after) {
      return new CronClock(CronExpression.parse(expression), zone.getRules()).next(after);
    }
  }

  /**
   * At fixed intervals, whatever the clocks do.
   *
   * @param interval whole seconds, 1 s to 366 days
   */
  record Every(Duration interval) implements Rhythm {
    private static final Duration LONGEST = Duration.ofDays(366);

    public Every {
      if (interval.toSeconds() < 1
          || interval.toNanosPart() != 0
          || interval.compareTo(LONGEST) > 0) {
        throw new IllegalArgumentException(
            "an interval must be whole seconds from 1 s to 366 days, was " + interval);
      }
    }

    @Override
    public Instant next(Instant after) {
      long seconds = interval.toSeconds();
      return Instant.ofEpochSecond((Math.floorDiv(after.getEpochSecond(), seconds) + 1) * seconds);
    }
  }
}
