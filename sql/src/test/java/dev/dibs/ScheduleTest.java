package dev.dibs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The words of schedules: intervals, missed ticks, and what is refused. */
class ScheduleTest {
  private static final Instant NOON = Instant.parse("2026-06-01T12:00:00Z");
  private static final Rhythm MINUTELY = Rhythm.cron("* * * * *", ZoneOffset.UTC);
  private static final Schedule SCHEDULE =
      Schedule.of("s", MINUTELY, Kind.json("k").task(new Json("{}")));

  private static List<Instant> minutes(int from, int to) {
    return IntStream.rangeClosed(from, to).mapToObj(i -> NOON.plusSeconds(60L * i)).toList();
  }

  @Test
  void intervals_countFromTheEpochWhateverTheyAreAskedFrom() {
    Rhythm rhythm = Rhythm.every(Duration.ofMinutes(7));
    Instant tick = rhythm.next(NOON);
    assertThat(tick.getEpochSecond() % 420).isZero();
    assertThat(rhythm.next(tick.minusNanos(1))).isEqualTo(tick);
    assertThat(rhythm.next(tick)).isEqualTo(tick.plusSeconds(420));
    assertThat(rhythm.next(Instant.ofEpochSecond(-1))).isEqualTo(Instant.EPOCH);
  }

  @Test
  void latest_findsTheLastTicksOfAYearOfSecondsAtOnce() {
    Rhythm secondly = Rhythm.every(Duration.ofSeconds(1));
    List<Instant> last = secondly.latest(NOON.minus(Duration.ofDays(365)), NOON, 3);
    assertThat(last).containsExactly(NOON.minusSeconds(2), NOON.minusSeconds(1), NOON);
  }

  @Test
  void latest_neverGoesBeforeTheFirst() {
    assertThat(MINUTELY.latest(NOON, NOON.plusSeconds(130), 100)).isEqualTo(minutes(0, 2));
    Instant odd = NOON.plusSeconds(7); // a tick that is in no rhythm, as the row says
    assertThat(MINUTELY.latest(odd, NOON.plusSeconds(61), 9))
        .containsExactly(odd, NOON.plusSeconds(60));
  }

  @Test
  void skip_runsOnlyATickThatIsOnTime() {
    var skip = new Misfire.Skip();
    assertThat(skip.runs(MINUTELY, NOON, NOON.plusSeconds(5))).containsExactly(NOON);
    assertThat(skip.runs(MINUTELY, NOON, NOON.plusSeconds(605))).isEqualTo(minutes(10, 10));
    Rhythm daily = Rhythm.cron("0 12 * * *", ZoneOffset.UTC);
    assertThat(skip.runs(daily, NOON, NOON.plusSeconds(61))).isEmpty();
  }

  @Test
  void once_runsTheLastOfThoseMissed() {
    Rhythm daily = Rhythm.cron("0 12 * * *", ZoneOffset.UTC);
    assertThat(new Misfire.Once().runs(daily, NOON, NOON.plus(Duration.ofDays(3).plusHours(5))))
        .containsExactly(NOON.plus(Duration.ofDays(3)));
  }

  @Test
  void catchUp_runsTheLastNOfThoseMissedInOrder() {
    var catchUp = new Misfire.CatchUp(3);
    assertThat(catchUp.runs(MINUTELY, NOON, NOON.plusSeconds(601))).isEqualTo(minutes(8, 10));
    assertThat(catchUp.runs(MINUTELY, NOON, NOON.plusSeconds(61))).isEqualTo(minutes(0, 1));
  }

  @Test
  void policies_areReadAsTheyAreWritten() {
    for (String text : new String[] {"skip", "once", "catch-up:7"})
      assertThat(Misfire.parse(text).text()).isEqualTo(text);
    assertThat(Overlap.parse("SKIP")).isEqualTo(Overlap.SKIP);
    assertThatThrownBy(() -> Misfire.parse("never")).hasMessageContaining("was 'never'");
    assertThatThrownBy(() -> Misfire.parse("catch-up:0")).hasMessageContaining("was 0");
    assertThatThrownBy(() -> Overlap.parse("no")).hasMessageContaining("was 'no'");
  }

  @Test
  void nonsense_isRefused() {
    var delayed = Kind.json("k").task(new Json("{}")).delay(Duration.ofSeconds(1));
    assertThatThrownBy(() -> Schedule.of("s", MINUTELY, delayed)).hasMessageContaining("jitter");
    assertThatThrownBy(() -> Schedule.of("", MINUTELY, SCHEDULE.task()))
        .hasMessageContaining("schedule name");
    assertThatThrownBy(() -> SCHEDULE.version(0)).hasMessageContaining("was 0");
    assertThatThrownBy(() -> SCHEDULE.jitter(Duration.ofDays(2))).hasMessageContaining("PT48H");
    assertThatThrownBy(() -> Rhythm.every(Duration.ofMillis(1_500))).hasMessageContaining("PT1.5S");
    assertThatThrownBy(() -> Rhythm.every(Duration.ZERO)).hasMessageContaining("PT0S");
  }
}
