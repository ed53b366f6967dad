package dev.dibs.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How times, durations and numbers are written. */
class ShowTest {
  private static final ZoneId BERLIN = ZoneId.of("Europe/Berlin");

  private static Show at(String now) {
    return new Show(Instant.parse(now), BERLIN, false);
  }

  @Test
  void durations_overTheNightOfSummerTimeAreThoseThatPassed() {
    Show spring = at("2026-03-29T01:30:00Z"); // half past three; two to three was left out
    Instant before = Instant.parse("2026-03-29T00:30:00Z");
    assertThat(spring.relative(before)).isEqualTo("1 h ago");
    assertThat(spring.since(before)).isEqualTo("1 h");
    assertThat(spring.absolute(before))
        .isEqualTo("2026-03-29 01:30:00.000 +01:00 (00:30:00.000 UTC)");
    assertThat(spring.absolute(spring.now()))
        .isEqualTo("2026-03-29 03:30:00.000 +02:00 (01:30:00.000 UTC)");
    Show autumn = at("2026-10-25T01:30:00Z"); // half past two, for the second time
    Instant first = Instant.parse("2026-10-25T00:30:00Z");
    assertThat(autumn.relative(first)).isEqualTo("1 h ago");
    assertThat(List.of(autumn.absolute(first), autumn.absolute(autumn.now())))
        .containsExactly(
            "2026-10-25 02:30:00.000 +02:00 (00:30:00.000 UTC)",
            "2026-10-25 02:30:00.000 +01:00 (01:30:00.000 UTC)");
  }

  @Test
  void durations_areNeverNegativeHoweverClocksDiffer() {
    Show show = at("2026-11-20T12:00:00Z");
    Instant later = show.now().plusSeconds(60);
    assertThat(show.since(later)).isEqualTo("0 ms");
    assertThat(show.past(later)).isEqualTo("now (clock skew)");
    assertThat(show.past(show.now().plusSeconds(2))).isEqualTo("now");
    assertThat(show.past(show.now().minusSeconds(2))).isEqualTo("2 s ago");
    assertThat(show.time(later)).as("what is to come").isEqualTo("in 1 min");
    assertThat(Show.exact(Duration.ofSeconds(-3))).isEqualTo("0 ms");
    assertThat(Show.coarse(Duration.ofSeconds(-3))).isEqualTo("0 ms");
  }

  @ParameterizedTest
  @CsvSource({
    "PT0.084S, 84 ms, 84 ms",
    "PT1.24S, 1 s, 1.24 s",
    "PT59.9S, 59 s, 59.90 s",
    "PT3M5S, 3 min, 3 min 05 s",
    "PT2H10M, 2 h, 2 h 10 min",
    "PT47H, 47 h, 1 d 23 h",
    "PT76H, 3 d, 3 d 4 h",
    "P3D, 3 d, 3 d",
  })
  void durations_haveOneUnitOrTwo(Duration duration, String coarse, String exact) {
    assertThat(Show.coarse(duration)).isEqualTo(coarse);
    assertThat(Show.exact(duration)).isEqualTo(exact);
  }

  @Test
  void numbers_sayHowFarTheyCanBeBelieved() {
    Map<Amount, String> texts =
        Map.of(
            new Amount(9_999, Amount.Kind.EXACT),
            "9,999",
            Amount.upTo(9_998, 10_001),
            "9,998",
            Amount.upTo(10_001, 10_001),
            "10,000+",
            new Amount(59_410, Amount.Kind.ESTIMATE),
            "about 59 k",
            new Amount(812, Amount.Kind.ESTIMATE),
            "about 812",
            new Amount(999_600, Amount.Kind.ESTIMATE),
            "about 1.0 M",
            new Amount(1_240_000, Amount.Kind.ESTIMATE),
            "about 1.2 M",
            new Amount(1_240_000, Amount.Kind.EXACT),
            "1.24 M");
    texts.forEach((amount, text) -> assertThat(amount.text()).isEqualTo(text));
    assertThat(new Amount(1_240_012, Amount.Kind.EXACT).title()).isEqualTo("counted: 1,240,012");
    assertThat(new Amount(59_410, Amount.Kind.ESTIMATE).title())
        .isEqualTo("table statistics: 59,410 as of the last ANALYZE");
    assertThat(List.of(Show.rate(0), Show.rate(0.7), Show.rate(3.14), Show.rate(312)))
        .containsExactly("0", "42.0/min", "3.1/s", "312/s");
  }
}
