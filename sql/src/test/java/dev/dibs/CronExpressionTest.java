package dev.dibs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a cron expression means, apart from what clocks do. */
class CronExpressionTest {
  private static final Instant NEW_YEAR = Instant.parse("2026-01-01T00:00:00Z"); // a Thursday

  private static List<String> ticks(String expression, String zone, int count) {
    Rhythm rhythm = Rhythm.cron(expression, ZoneId.of(zone));
    List<String> ticks = new ArrayList<>();
    Instant tick = NEW_YEAR;
    for (int i = 0; i < count; i++) {
      tick = rhythm.next(tick);
      ticks.add(tick.toString());
    }
    return ticks;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "30 2 * * *      | 2026-01-01T02:30:00Z 2026-01-02T02:30:00Z",
        "*/20 * * * *    | 2026-01-01T00:20:00Z 2026-01-01T00:40:00Z 2026-01-01T01:00:00Z",
        "5-10/5 0 * * *  | 2026-01-01T00:05:00Z 2026-01-01T00:10:00Z 2026-01-02T00:05:00Z",
        "0 0 31 * *      | 2026-01-31T00:00:00Z 2026-03-31T00:00:00Z 2026-05-31T00:00:00Z",
        "0 0 29 2 *      | 2028-02-29T00:00:00Z 2032-02-29T00:00:00Z",
        "0 9 * * mon-fri | 2026-01-01T09:00:00Z 2026-01-02T09:00:00Z 2026-01-05T09:00:00Z",
        "0 9 * * fri-sun | 2026-01-02T09:00:00Z 2026-01-03T09:00:00Z 2026-01-04T09:00:00Z 2026-01-09T09:00:00Z",
        "0 9 * * 7       | 2026-01-04T09:00:00Z 2026-01-11T09:00:00Z",
        "0 0 13 * 5      | 2026-01-02T00:00:00Z 2026-01-09T00:00:00Z 2026-01-13T00:00:00Z",
        "0 0 */2 * 5     | 2026-01-09T00:00:00Z 2026-01-23T00:00:00Z",
        "0 0 1 jan,Jul * | 2026-07-01T00:00:00Z 2027-01-01T00:00:00Z",
        "*/30 * * * * *  | 2026-01-01T00:00:30Z 2026-01-01T00:01:00Z",
        "15 59 23 31 12 * | 2026-12-31T23:59:15Z 2027-12-31T23:59:15Z",
        "@daily          | 2026-01-02T00:00:00Z",
        "@weekly         | 2026-01-04T00:00:00Z"
      })
  void ticks_areThoseOfCron(String expression, String expected) {
    List<String> instants = List.of(expected.split(" ", -1));
    assertThat(ticks(expression, "UTC", instants.size())).isEqualTo(instants);
  }

  @Test
  void zone_saysWhoseClock() {
    assertThat(ticks("30 2 * * *", "Asia/Kolkata", 1)).containsExactly("2026-01-01T21:00:00Z");
    assertThat(ticks("30 2 * * *", "+05:30", 1)).containsExactly("2026-01-01T21:00:00Z");
  }

  @Test
  void ticks_areStrictlyAfterAndAtWholeSeconds() {
    Rhythm everyMinute = Rhythm.cron("* * * * *", ZoneOffset.UTC);
    assertThat(everyMinute.next(NEW_YEAR)).isEqualTo(NEW_YEAR.plusSeconds(60));
    assertThat(everyMinute.next(NEW_YEAR.minusNanos(1))).isEqualTo(NEW_YEAR);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "61 * * * *       | minute '61' must be 0 to 59",
        "* 24 * * *       | hour '24' must be 0 to 23",
        "* * 0 * *        | day of month '0' must be 1 to 31",
        "* * * 13 *       | month '13' must be 1 to 12",
        "* * * * 8        | day of week '8' must be 0 to 7",
        "* * * * fred     | day of week 'fred' is not understood",
        "10-5 * * * *     | minute '10-5' goes backwards",
        "*/0 * * * *      | minute '*/0' must step by 1 to 59",
        "5/15 * * * *     | minute '5/15' steps from one value; write 5-59/15",
        "1--2 * * * *     | has more than one '-'",
        "1/2/3 * * * *    | has more than one '/'",
        "1,,2 * * * *     | minute '' is not understood",
        "0 0 L * *        | day of month 'L' is not understood",
        "0 0 ? * *        | day of month '?' is not understood",
        "0 0 30 2 *       | no month it names has a day it names",
        "٣ * * * *        | minute '٣' is not understood"
      })
  void nonsense_isRefusedWithFieldValueAndReason(String expression, String reason) {
    assertThatThrownBy(() -> Rhythm.cron(expression, ZoneOffset.UTC))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("cron expression '" + expression + "': ")
        .hasMessageContaining(reason);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "* * * *", "* * * * * * *", "@reboot", "every day"})
  void otherNumbersOfFields_areRefused(String expression) {
    assertThatThrownBy(() -> Rhythm.cron(expression, ZoneOffset.UTC))
        .hasMessageContaining("was '" + expression + "'")
        .hasMessageContaining("30 2 * * *");
  }

  /** A field made by chance: its text, and what it means by a definition of its own. */
  private record Field(String text, IntPredicate allows, boolean starred) {
    static Field random(Random random, int min, int max) {
      if (random.nextInt(4) == 0) return new Field("*", value -> true, true);
      if (random.nextInt(4) == 0) {
        int step = 1 + random.nextInt(max);
        return new Field("*/" + step, value -> (value - min) % step == 0, true);
      }
      var allowed = new TreeSet<Integer>();
      List<String> items = new ArrayList<>();
      for (int i = random.nextInt(3); i >= 0; i--) {
        int low = min + random.nextInt(max - min + 1);
        int high = low + random.nextInt(max - low + 1);
        int step = 1 + random.nextInt(5);
        boolean single = random.nextBoolean();
        items.add(single ? "" + low : low + "-" + high + "/" + step);
        for (int v = low; v <= (single ? low : high); v += step) allowed.add(v);
      }
      return new Field(String.join(",", items), allowed::contains, false);
    }
  }

  private record Expression(List<Field> fields) {
    boolean has(LocalDateTime t) {
      int weekday = t.getDayOfWeek().getValue() % 7;
      boolean ofMonth = fields.get(2).allows.test(t.getDayOfMonth());
      boolean ofWeek =
          fields.get(4).allows.test(weekday) || (weekday == 0 && fields.get(4).allows.test(7));
      boolean both = fields.get(2).starred || fields.get(4).starred;
      return fields.get(0).allows.test(t.getMinute())
          && fields.get(1).allows.test(t.getHour())
          && fields.get(3).allows.test(t.getMonthValue())
          && (both ? ofMonth && ofWeek : ofMonth || ofWeek);
    }

    @Override
    public String toString() {
      return fields.stream().map(Field::text).collect(Collectors.joining(" "));
    }
  }

  /** Minute by minute for twenty days, a few hundred expressions made by chance. */
  @Test
  void next_isWhatTryingEveryMinuteFinds() {
    var random = new Random(26);
    LocalDateTime start = LocalDateTime.of(2027, 12, 20, 0, 0);
    for (int i = 0; i < 400; i++) {
      var expression =
          new Expression(
              List.of(
                  Field.random(random, 0, 59),
                  Field.random(random, 0, 23),
                  Field.random(random, 1, 28),
                  Field.random(random, 1, 12),
                  Field.random(random, 0, 7)));
      Rhythm rhythm = Rhythm.cron(expression.toString(), ZoneOffset.UTC);
      Instant next = rhythm.next(start.minusMinutes(1).toInstant(ZoneOffset.UTC));
      for (LocalDateTime t = start; t.isBefore(start.plusDays(20)); t = t.plusMinutes(1)) {
        Instant instant = t.toInstant(ZoneOffset.UTC);
        assertThat(next.equals(instant)).as("%s at %s", expression, t).isEqualTo(expression.has(t));
        if (next.equals(instant)) next = rhythm.next(next);
      }
    }
  }
}
