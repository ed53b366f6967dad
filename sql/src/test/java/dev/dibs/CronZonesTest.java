package dev.dibs;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.zone.ZoneOffsetTransition;
import java.time.zone.ZoneRules;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What cron does where clocks are put forward and back: every transition of every zone from 2000 to
 * 2040, each minute around it, against the rules said in another way.
 */
class CronZonesTest {
  private static final Instant FROM = Instant.parse("2000-01-01T00:00:00Z");
  private static final Instant UNTIL = Instant.parse("2041-01-01T00:00:00Z");

  /**
   * An expression and what it means.
   *
   * @param interval whether it has a star among minutes and hours
   * @param hourly whether its hour is a star
   */
  private record Case(
      String expression, boolean interval, boolean hourly, Predicate<LocalDateTime> names) {}

  private static final List<Case> CASES =
      List.of(
          new Case("30 2 * * *", false, false, t -> t.getHour() == 2 && t.getMinute() == 30),
          new Case("0 0 * * *", false, false, t -> t.getHour() == 0 && t.getMinute() == 0),
          new Case(
              "45 1,23 * * *", false, false, t -> t.getHour() % 22 == 1 && t.getMinute() == 45),
          new Case(
              "0-50/10 0-3 * * *", false, false, t -> t.getHour() < 4 && t.getMinute() % 10 == 0),
          new Case("*/15 * * * *", true, true, t -> t.getMinute() % 15 == 0),
          new Case("7 * * * *", true, true, t -> t.getMinute() == 7),
          new Case("0 */2 * * *", true, true, t -> t.getHour() % 2 == 0 && t.getMinute() == 0),
          new Case("*/20 2 * * *", true, false, t -> t.getHour() == 2 && t.getMinute() % 20 == 0));

  /** One zone of each set of rules. */
  private static Map<ZoneRules, ZoneId> zones() {
    Map<String, ZoneId> byName = new TreeMap<>();
    for (String id : ZoneId.getAvailableZoneIds()) byName.put(id, ZoneId.of(id));
    Map<ZoneRules, ZoneId> zones = new java.util.HashMap<>();
    byName.values().forEach(zone -> zones.putIfAbsent(zone.getRules(), zone));
    return zones;
  }

  private static List<ZoneOffsetTransition> transitions(ZoneRules rules) {
    List<ZoneOffsetTransition> all = new ArrayList<>();
    var next = rules.nextTransition(FROM);
    for (;
        next != null && next.getInstant().isBefore(UNTIL);
        next = rules.nextTransition(next.getInstant())) all.add(next);
    return all;
  }

  /** What a rhythm reads anew for every tick, read once. */
  private static CronClock clock(String expression, ZoneId zone) {
    return new CronClock(CronExpression.parse(expression), zone.getRules());
  }

  @Test
  void everyTransitionOfAllZones_isAsDecided() {
    int transitions = 0;
    for (var zone : zones().entrySet()) {
      for (ZoneOffsetTransition transition : transitions(zone.getKey())) {
        transitions++;
        for (Case each : CASES) assertAsDecided(each, zone.getValue(), transition);
      }
    }
    assertThat(transitions).isGreaterThan(5_000);
    assertThat(zones().values())
        .anyMatch(zone -> zone.getId().contains("Lord_Howe") || zone.getId().contains("LHI"));
  }

  private static void assertAsDecided(Case each, ZoneId zone, ZoneOffsetTransition transition) {
    Duration around = transition.getDuration().abs().plusMinutes(130);
    Instant start = transition.getInstant().minus(around);
    Instant end = transition.getInstant().plus(around);
    List<Instant> expected = new ArrayList<>();
    for (Instant t = start; t.isBefore(end); t = t.plusSeconds(60))
      if (ticks(each, zone.getRules(), t)) expected.add(t);
    var clock = clock(each.expression(), zone);
    List<Instant> actual = new ArrayList<>();
    for (Instant t = clock.next(start.minusNanos(1)); t.isBefore(end); t = clock.next(t))
      actual.add(t);
    if (!actual.equals(expected))
      assertThat(actual)
          .as("%s in %s, %s", each.expression(), zone, transition)
          .isEqualTo(expected);
  }

  /** The rules, asked of one instant. */
  private static boolean ticks(Case each, ZoneRules rules, Instant instant) {
    LocalDateTime local = LocalDateTime.ofInstant(instant, rules.getOffset(instant));
    boolean first = rules.getValidOffsets(local).getFirst().equals(rules.getOffset(instant));
    if (each.names().test(local) && (each.interval() || first)) return true;
    ZoneOffsetTransition change = rules.nextTransition(instant.minusNanos(1));
    if (change == null || !change.getInstant().equals(instant) || !change.isGap()) return false;
    for (LocalDateTime t = change.getDateTimeBefore();
        t.isBefore(change.getDateTimeAfter());
        t = t.plusMinutes(1)) {
      boolean anyway = each.hourly() && each.names().test(t.plus(change.getDuration()));
      if (each.names().test(t) && !anyway) return true;
    }
    return false;
  }

  /** A daily schedule runs once a day that the zone has, for forty years. */
  @Test
  void daily_runsOncePerDayInEveryZone() {
    for (ZoneId zone : zones().values()) {
      var rhythm = clock("30 2 * * *", zone);
      Instant tick = rhythm.next(FROM);
      for (Instant next = rhythm.next(tick); next.isBefore(UNTIL); next = rhythm.next(next)) {
        long hours = Duration.between(tick, next).toHours();
        if (hours < 20 || hours > 27) // Casey has shifted its clocks by three hours
        assertThat(zone.getId() + " " + tick + " " + next)
              .as("only where the zone left out a day")
              .containsAnyOf("2011-12-3", "Pacific/");
        tick = next;
      }
    }
  }

  /** And every quarter of an hour is one, wherever clocks are shifted by quarters. */
  @Test
  void quarters_areRealQuartersInEveryZone() {
    for (var zone : zones().entrySet()) {
      var rhythm = clock("*/15 * * * *", zone.getValue());
      for (ZoneOffsetTransition transition : transitions(zone.getKey())) {
        if (transition.getDuration().toSeconds() % 900 != 0) continue;
        if (transition.getDateTimeBefore().getMinute() % 15 != 0) continue;
        Instant tick = transition.getInstant().minusSeconds(7_200);
        tick = rhythm.next(tick.minusNanos(1));
        for (int i = 0; i < 16; i++) {
          Instant next = rhythm.next(tick);
          assertThat(Duration.between(tick, next))
              .as("%s after %s", zone.getValue(), tick)
              .hasMinutes(15);
          tick = next;
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "30 2 * * *   | Europe/Berlin       | 2026-03-28T03:00:00Z | 2026-03-29T01:00:00Z 2026-03-30T00:30:00Z",
        "30 2 * * *   | Europe/Berlin       | 2026-10-24T03:00:00Z | 2026-10-25T00:30:00Z 2026-10-26T01:30:00Z",
        "0 * * * *    | Europe/Berlin       | 2026-10-24T23:30:00Z | 2026-10-25T00:00:00Z 2026-10-25T01:00:00Z 2026-10-25T02:00:00Z",
        "7 * * * *    | Europe/Berlin       | 2026-03-29T00:00:00Z | 2026-03-29T00:07:00Z 2026-03-29T01:07:00Z",
        "15 2 * * *   | Australia/Lord_Howe | 2026-10-03T00:00:00Z | 2026-10-03T15:30:00Z 2026-10-04T15:15:00Z",
        "45 1 * * *   | Australia/Lord_Howe | 2026-04-04T00:00:00Z | 2026-04-04T14:45:00Z 2026-04-05T15:15:00Z",
        "*/30 * * * * | Australia/Lord_Howe | 2026-04-04T14:00:00Z | 2026-04-04T14:30:00Z 2026-04-04T15:00:00Z 2026-04-04T15:30:00Z",
        "0 0 * * *    | America/Havana      | 2026-03-07T06:00:00Z | 2026-03-08T05:00:00Z 2026-03-09T04:00:00Z",
        "30 2 * * *   | Pacific/Apia        | 2011-12-29T13:00:00Z | 2011-12-30T10:00:00Z 2011-12-30T12:30:00Z"
      })
  void wellKnownTransitions(String expression, String zone, String after, String expected) {
    Rhythm rhythm = Rhythm.cron(expression, ZoneId.of(zone));
    Instant tick = Instant.parse(after);
    for (String each : expected.split(" ", -1)) {
      tick = rhythm.next(tick);
      assertThat(tick).hasToString(each);
    }
  }

  @Test
  void fixedOffsets_knowNoTransitions() {
    Rhythm rhythm = Rhythm.cron("30 2 * * *", ZoneOffset.ofHours(1));
    assertThat(rhythm.next(FROM)).hasToString("2000-01-01T01:30:00Z");
  }
}
