package dev.dibs.producer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.dibs.DatabaseException;
import dev.dibs.DibsException;
import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.Misfire;
import dev.dibs.Overlap;
import dev.dibs.PayloadException;
import dev.dibs.Priority;
import dev.dibs.Rhythm;
import dev.dibs.Schedule;
import dev.dibs.Scheduled;
import dev.dibs.testing.TestDatabase;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SchedulesTest {
  record Report(String of) {}

  private static final Kind<Report> REPORT = Kind.of("report", Report.class);
  private static final Rhythm NIGHTLY = Rhythm.cron("30 2 * * *", ZoneId.of("Europe/Berlin"));

  private final TestDatabase db = TestDatabase.create();
  private final Schedules schedules = Schedules.on(db.workerDataSource());

  @AfterEach
  void drop() {
    db.close();
  }

  private static Schedule report(String name) {
    return Schedule.of(name, NIGHTLY, REPORT.task(new Report("all")).queue("reports"));
  }

  private Scheduled standing(String name) {
    return schedules.find(name).orElseThrow();
  }

  @Test
  void added_isReadAsItWasWritten() {
    Schedule added =
        Schedule.of(
                "nightly",
                NIGHTLY,
                REPORT
                    .task(new Report("all"))
                    .queue("reports")
                    .priority(Priority.LOW)
                    .maxAttempts(3)
                    .timeout(Duration.ofMinutes(5))
                    .header("team", "billing"))
            .misfire(new Misfire.CatchUp(7))
            .overlap(Overlap.SKIP)
            .jitter(Duration.ofMillis(1_500))
            .version(4);
    assertThat(schedules.add(added)).isTrue();
    Schedule read = standing("nightly").schedule();
    assertThat(read.rhythm()).isEqualTo(NIGHTLY);
    assertThat(read.policy()).isEqualTo(added.policy());
    assertThat(read.task().options()).isEqualTo(added.task().options());
    assertThat(read.task().kind().name()).isEqualTo("report");
    assertThat(read.task().payload()).isEqualTo(new Json("{\"of\": \"all\"}"));
    assertThat(read.version()).isEqualTo(4);
    assertThat(standing("nightly").lastTick()).isEmpty();
    assertThat(standing("nightly").pause()).isEmpty();
  }

  @Test
  void added_ticksAfterNowAndByItsRhythm() {
    schedules.add(report("nightly"));
    List<Instant> ticks = standing("nightly").next(3);
    assertThat(ticks).isSorted().doesNotHaveDuplicates().hasSize(3);
    assertThat(ticks)
        .allSatisfy(tick -> assertThat(NIGHTLY.next(tick.minusSeconds(1))).isEqualTo(tick));
    assertThat(db.number("select count(*) from dibs.schedule where next_tick_at > now()")).isOne();
  }

  @Test
  void added_leavesOneOfTheSameNameAsItIs() {
    schedules.add(report("nightly"));
    Rhythm other = Rhythm.every(Duration.ofHours(1));
    assertThat(schedules.add(Schedule.of("nightly", other, REPORT.task(new Report("x")))))
        .isFalse();
    assertThat(standing("nightly").schedule().rhythm()).isEqualTo(NIGHTLY);
  }

  @Test
  void changed_getsTheNextVersionAndTicksByTheNewRhythm() {
    schedules.add(report("nightly"));
    Rhythm hourly = Rhythm.every(Duration.ofHours(1));
    assertThat(
            schedules.change(
                "nightly",
                old -> new Schedule("nightly", hourly, old.task(), old.policy(), old.version())))
        .isPresent();
    assertThat(standing("nightly").schedule().version()).isEqualTo(2);
    assertThat(standing("nightly").schedule().rhythm()).isEqualTo(hourly);
    assertThat(standing("nightly").nextTick().getEpochSecond() % 3_600).isZero();
    assertThat(schedules.change("no such", old -> old)).isEmpty();
  }

  @Test
  void changedByManyAtOnce_losesNoChange() throws Exception {
    schedules.add(report("nightly"));
    try (var threads = Executors.newFixedThreadPool(4)) {
      List<Callable<Boolean>> all = new ArrayList<>();
      for (int i = 0; i < 20; i++)
        all.add(() ->
            schedules
                .change("nightly", old -> old.jitter(old.policy().jitter().plusSeconds(1)))
                .isPresent());
      for (var each : threads.invokeAll(all)) assertThat(each.get()).isTrue();
    }
    assertThat(standing("nightly").schedule().policy().jitter()).isEqualTo(Duration.ofSeconds(20));
    assertThat(standing("nightly").schedule().version()).isEqualTo(21);
  }

  @Test
  void paused_saysByWhomAndWhyUntilResumed() {
    schedules.add(report("nightly"));
    assertThat(schedules.pause("nightly", "ada", "the database moves")).isTrue();
    var pause = standing("nightly").pause().orElseThrow();
    assertThat(pause.by() + ": " + pause.why()).isEqualTo("ada: the database moves");
    schedules.change("nightly", old -> old.overlap(Overlap.SKIP));
    assertThat(standing("nightly").pause()).isPresent();
    assertThat(schedules.resume("nightly")).isTrue();
    assertThat(schedules.resume("nightly")).isTrue();
    assertThat(standing("nightly").pause()).isEmpty();
    assertThat(schedules.pause("no such", "ada", "x")).isFalse();
    assertThat(schedules.resume("no such")).isFalse();
  }

  @Test
  void removed_isGone() {
    schedules.add(report("b"));
    schedules.add(report("a"));
    assertThat(schedules.list()).extracting(all -> all.schedule().name()).containsExactly("a", "b");
    assertThat(schedules.remove("a")).isTrue();
    assertThat(schedules.remove("a")).isFalse();
    assertThat(schedules.list()).hasSize(1);
  }

  @Test
  void payloadsThatCannotBeKept_areRefused() {
    var large = Kind.json("k").task(new Json("\"" + "x".repeat(256 << 10) + "\""));
    assertThatThrownBy(
            () -> schedules.add(Schedule.of("s", Rhythm.cron("@daily", ZoneOffset.UTC), large)))
        .isInstanceOf(PayloadException.class)
        .hasMessageContaining("262146 bytes");
    var broken = Kind.json("k").task(new Json("{"));
    assertThatThrownBy(
            () -> schedules.add(Schedule.of("s", Rhythm.cron("@daily", ZoneOffset.UTC), broken)))
        .isInstanceOf(PayloadException.class);
  }

  @Test
  void aScheduleOfANewerBuild_isNamed() {
    schedules.add(report("nightly"));
    db.execute("update dibs.schedule set zone = 'Mars/Olympus_Mons'");
    assertThatThrownBy(schedules::list)
        .isInstanceOf(DibsException.class)
        .hasMessageContaining("schedule 'nightly' is not understood by this build")
        .hasMessageContaining("Mars/Olympus_Mons");
    assertThat(schedules.remove("nightly")).isTrue();
  }

  @Test
  void aDatabaseThatRefuses_isADatabaseException() {
    db.execute("drop table dibs.schedule");
    assertThatThrownBy(schedules::list).isInstanceOf(DatabaseException.class);
    assertThatThrownBy(() -> schedules.remove("s"))
        .isInstanceOf(DatabaseException.class)
        .hasMessageContaining("schedule 's' could not be removed");
  }
}
