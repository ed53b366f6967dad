package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.Codec;
import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.Misfire;
import dev.dibs.NewTask;
import dev.dibs.Overlap;
import dev.dibs.Priority;
import dev.dibs.Rhythm;
import dev.dibs.Schedule;
import dev.dibs.sql.ScheduleRows.Declared;
import dev.dibs.sql.TickSchedules.Decision;
import dev.dibs.sql.TickSchedules.Next;
import dev.dibs.sql.TickSchedules.Tick;
import dev.dibs.sql.TickSchedules.Ticked;
import dev.dibs.testing.TestClock;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A tick comes once, whoever believes it is due and whatever the clock does. */
@Timeout(60)
class TickSchedulesTest {
  private static final Instant NOON = Instant.parse("2026-06-01T12:00:00Z");
  private static final Rhythm HOURLY = Rhythm.cron("0 * * * *", ZoneOffset.UTC);

  private final TestDatabase db = TestDatabase.create();
  private final TestClock clock = TestClock.in(db);
  private final Connection connection = connect();
  private final ScheduleRows rows = new ScheduleRows(Schema.DEFAULT, Codec.jackson());
  private final TickSchedules schedules = new TickSchedules(Schema.DEFAULT);

  /** As the engine's own connections are. */
  private Connection connect() {
    Connection own = db.connect();
    try {
      own.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    return own;
  }

  @BeforeEach
  void setClock() {
    clock.set(NOON.minusSeconds(1_800));
  }

  @AfterEach
  void drop() throws SQLException {
    connection.close();
    db.close();
  }

  private static NewTask<Json> task() {
    return Kind.json("k").task(new Json("{\"n\": 1}")).queue("q");
  }

  private void add(Rhythm rhythm) {
    assertThat(rows.insertIfAbsent(connection, Schedule.of("s", rhythm, task()))).isTrue();
  }

  private static Decision decide(Next next) {
    Rhythm rhythm = next.rules().rhythm();
    List<Tick> runs =
        Misfire.parse(next.rules().misfire()).runs(rhythm, next.at(), next.now()).stream()
            .map(at -> new Tick(at, NewTask.nextId(), at))
            .toList();
    Instant last = rhythm.latest(next.at(), next.now(), 1).getFirst();
    return new Decision(runs, last, rhythm.next(next.now()));
  }

  /** What a process does that finds the schedule due. */
  private Ticked tick() throws SQLException {
    Next next = schedules.look(connection, 1).getFirst();
    return next.isDue()
        ? schedules.tickIfDue(connection, next, decide(next))
        : new Ticked(false, 0, "", "");
  }

  private Ticked tickAt(Instant now) throws SQLException {
    clock.set(now);
    return tick();
  }

  private long tasks() {
    return db.number("select count(*) from dibs.task");
  }

  private List<String> ticks() throws SQLException {
    List<String> ticks = new ArrayList<>();
    try (var statement = connection.createStatement();
        var row =
            statement.executeQuery(
                "select headers ->> 'dibs-tick' from dibs.task order by position")) {
      while (row.next()) ticks.add(row.getString(1));
    }
    return ticks;
  }

  @Test
  void tick_enqueuesWhatTheScheduleSays() throws SQLException {
    NewTask<Json> task =
        task()
            .priority(Priority.HIGH)
            .maxAttempts(3)
            .timeout(Duration.ofMinutes(2))
            .header("a", "b");
    rows.insertIfAbsent(connection, Schedule.of("s", HOURLY, task));
    assertThat(tick().moved()).isFalse();
    assertThat(tickAt(NOON.plusSeconds(1))).isEqualTo(new Ticked(true, 1, "q", "k"));
    assertThat(
            db.value(
                "select concat_ws(' ', queue, kind, status, priority, max_attempts, timeout, payload::text,"
                    + " headers::text) from dibs.task"))
        .isEqualTo(
            "q k PENDING 2 3 00:02:00 {\"n\": 1}"
                + " {\"a\": \"b\", \"dibs-tick\": \"2026-06-01T12:00:00Z\", \"dibs-schedule\": \"s\"}");
    assertThat(tick().moved()).isFalse();
    assertThat(schedules.look(connection, 1).getFirst().at()).isEqualTo(NOON.plusSeconds(3_600));
  }

  /** Both saw it due, both decided; one is to enqueue it. */
  @Test
  void twoProcessesThatBothBelieveItIsTheirTurn_enqueueItOnce() throws Exception {
    add(HOURLY);
    try (var threads = Executors.newFixedThreadPool(4)) {
      for (int round = 0; round < 50; round++) {
        clock.set(NOON.plusSeconds(3_600L * round));
        Next next = schedules.look(connection, 1).getFirst();
        var together = new CyclicBarrier(4);
        Callable<Integer> process =
            () -> {
              try (Connection own = connect()) {
                together.await();
                return schedules.tickIfDue(own, next, decide(next)).tasks();
              }
            };
        int enqueued = 0;
        for (Future<Integer> each : threads.invokeAll(List.of(process, process, process, process)))
          enqueued += each.get();
        assertThat(enqueued).isEqualTo(1);
      }
    }
    assertThat(tasks()).isEqualTo(50);
  }

  /** For an hour a second process believes what it saw at first, and more than that. */
  @Test
  void aProcessThatTakesTheScheduleBackForAnHour_enqueuesNothingTwice() throws SQLException {
    add(Rhythm.cron("*/10 * * * *", ZoneOffset.UTC));
    for (int i = 0; i <= 6; i++) tickAt(NOON.plusSeconds(600L * i));
    assertThat(tasks()).isEqualTo(7);
    db.execute(
        "update dibs.schedule set next_tick_at = '2026-06-01T12:00:00Z', last_tick_at = null");
    db.execute("update dibs.schedule set misfire = 'catch-up', catch_up = 100");
    assertThat(tick()).isEqualTo(new Ticked(true, 0, "q", "k"));
    assertThat(tasks()).isEqualTo(7);
  }

  @Test
  void aTickWhoseTaskHasEnded_doesNotComeAgain() throws SQLException {
    add(HOURLY);
    tickAt(NOON);
    db.execute("delete from dibs.task");
    db.execute("update dibs.schedule set next_tick_at = ?", NOON.atOffset(ZoneOffset.UTC));
    assertThat(tick()).isEqualTo(new Ticked(true, 0, "q", "k"));
  }

  @Test
  void theClockSteppingBackAnHour_firesNoTickTwice() throws SQLException {
    add(Rhythm.cron("*/10 * * * *", ZoneOffset.UTC));
    for (int i = 0; i < 6; i++) tickAt(NOON.plusSeconds(600L * i));
    assertThat(tasks()).isEqualTo(6);
    clock.step(Duration.ofHours(-1));
    for (int i = 0; i < 6; i++) {
      assertThat(tick().moved()).isFalse();
      clock.step(Duration.ofMinutes(10));
    }
    assertThat(tasks()).isEqualTo(6);
    tickAt(NOON.plusSeconds(3_600));
    assertThat(ticks()).doesNotHaveDuplicates().hasSize(7);
  }

  /** What an operator does may not bring back what was decided before the clock stepped back. */
  @Test
  void afterTheClockSteppedBack_neitherResumeNorChangeNorAddingAnewFireATickTwice()
      throws SQLException {
    add(Rhythm.cron("*/10 * * * *", ZoneOffset.UTC));
    tickAt(NOON);
    clock.step(Duration.ofHours(-1));
    rows.pause(connection, "s", "me", "a test");
    rows.resumeIfAsSeen(connection, rows.find(connection, "s").orElseThrow());
    assertThat(schedules.look(connection, 1).getFirst().at()).isEqualTo(NOON.plusSeconds(600));
    var changed = Schedule.of("s", Rhythm.cron("*/5 * * * *", ZoneOffset.UTC), task());
    rows.changeIfAsSeen(connection, rows.find(connection, "s").orElseThrow(), changed);
    assertThat(schedules.look(connection, 1).getFirst().at()).isEqualTo(NOON.plusSeconds(300));
    rows.remove(connection, "s");
    add(Rhythm.cron("0 * * * *", ZoneOffset.UTC));
    assertThat(tickAt(NOON)).isEqualTo(new Ticked(true, 0, "q", "k"));
    assertThat(tasks()).isEqualTo(1);
  }

  @Test
  void missedTicks_runAsThePolicySays() throws SQLException {
    for (var expected : List.of(List.of("skip", 0), List.of("once", 1), List.of("catch-up:3", 3))) {
      clock.set(NOON.minusSeconds(1));
      Misfire misfire = Misfire.parse((String) expected.getFirst());
      rows.insertIfAbsent(connection, Schedule.of("s", HOURLY, task()).misfire(misfire));
      assertThat(tickAt(NOON.plus(Duration.ofMinutes(5 * 60 + 30))).tasks())
          .as(misfire.text())
          .isEqualTo(expected.getLast());
      assertThat(schedules.look(connection, 1).getFirst().at())
          .isEqualTo(NOON.plusSeconds(6 * 3_600));
      rows.remove(connection, "s");
      db.execute("truncate dibs.schedule_tick, dibs.task");
    }
  }

  @Test
  void caughtUpTicks_runInOrder() throws SQLException {
    rows.insertIfAbsent(
        connection, Schedule.of("s", HOURLY, task()).misfire(new Misfire.CatchUp(3)));
    tickAt(NOON.plus(Duration.ofHours(5)));
    assertThat(ticks())
        .containsExactly("2026-06-01T15:00:00Z", "2026-06-01T16:00:00Z", "2026-06-01T17:00:00Z");
  }

  @Test
  void overlap_isSkippedWhileTheLastTaskIsUnfinishedAndNoLonger() throws SQLException {
    rows.insertIfAbsent(connection, Schedule.of("s", HOURLY, task()).overlap(Overlap.SKIP));
    assertThat(tickAt(NOON).tasks()).isEqualTo(1);
    assertThat(tickAt(NOON.plusSeconds(3_600))).isEqualTo(new Ticked(true, 0, "q", "k"));
    db.execute("update dibs.task set status = 'SCHEDULED', run_at = now() + interval '1 day'");
    assertThat(tickAt(NOON.plusSeconds(7_200)).tasks()).isZero();
    db.execute("delete from dibs.task");
    assertThat(tickAt(NOON.plusSeconds(10_800)).tasks()).isEqualTo(1);
    assertThat(db.number("select count(*) from dibs.schedule_tick")).isEqualTo(2);
  }

  @Test
  void overlap_isAllowedWhereNothingElseIsSaid() throws SQLException {
    add(HOURLY);
    for (int i = 0; i < 3; i++) tickAt(NOON.plusSeconds(3_600L * i));
    assertThat(tasks()).isEqualTo(3);
  }

  @Test
  void aTaskThatRunsLaterThanItsTick_waitsForItsTime() throws SQLException {
    add(HOURLY);
    clock.set(NOON);
    Next next = schedules.look(connection, 1).getFirst();
    var later = new Tick(NOON, NewTask.nextId(), NOON.plusSeconds(30));
    schedules.tickIfDue(
        connection, next, new Decision(List.of(later), NOON, NOON.plusSeconds(3_600)));
    assertThat(
            db.value(
                "select concat_ws(' ', status, extract(epoch from run_at)::int) from dibs.task"))
        .isEqualTo("SCHEDULED " + NOON.plusSeconds(30).getEpochSecond());
  }

  @Test
  void paused_doesNotTickAndResumedDoesNotMakeUpForIt() throws SQLException {
    add(HOURLY);
    clock.set(NOON);
    Next seen = schedules.look(connection, 1).getFirst();
    rows.pause(connection, "s", "me", "a test");
    assertThat(schedules.look(connection, 1)).isEmpty();
    clock.set(NOON.plus(Duration.ofHours(3)));
    assertThat(schedules.tickIfDue(connection, seen, decide(seen)).moved()).isFalse();
    rows.resumeIfAsSeen(connection, rows.find(connection, "s").orElseThrow());
    assertThat(tick().moved()).isFalse();
    assertThat(tickAt(NOON.plus(Duration.ofHours(4))).tasks()).isEqualTo(1);
    assertThat(ticks()).containsExactly("2026-06-01T16:00:00Z");
  }

  @Test
  void aDecisionByAnOldRhythm_isRefused() throws SQLException {
    add(HOURLY);
    clock.set(NOON);
    Next seen = schedules.look(connection, 1).getFirst();
    var changed = Schedule.of("s", HOURLY, task().priority(Priority.LOW)).version(2);
    rows.changeIfAsSeen(connection, rows.find(connection, "s").orElseThrow(), changed);
    assertThat(schedules.tickIfDue(connection, seen, decide(seen)).moved()).isFalse();
    assertThat(tick().tasks()).isEqualTo(1);
    assertThat(db.number("select priority from dibs.task")).isEqualTo(4);
  }

  @Test
  void declaring_addsChangesAndNeverReverts() throws SQLException {
    Schedule first = Schedule.of("s", HOURLY, task()).jitter(Duration.ofSeconds(3));
    assertThat(rows.declare(connection, first)).isEqualTo(Declared.ADDED);
    assertThat(rows.declare(connection, first)).isEqualTo(Declared.KEPT);
    Schedule third = first.version(3).overlap(Overlap.SKIP);
    assertThat(rows.declare(connection, third)).isEqualTo(Declared.CHANGED);
    assertThat(rows.declare(connection, first.version(2))).isEqualTo(Declared.KEPT);
    assertThat(rows.declare(connection, third.overlap(Overlap.ALLOW)))
        .isEqualTo(Declared.CONTRADICTED);
    Schedule standing = rows.find(connection, "s").orElseThrow().scheduled().schedule();
    assertThat(standing.policy()).isEqualTo(third.policy());
    assertThat(standing.version()).isEqualTo(3);
    var other = Kind.json("k").task(new Json("{\"n\": 2}")).queue("q");
    assertThat(rows.declare(connection, new Schedule("s", HOURLY, other, third.policy(), 3)))
        .isEqualTo(Declared.CONTRADICTED);
  }

  @Test
  void declaringAnotherTaskUnderTheSameRhythm_losesNoTickThatIsDue() throws SQLException {
    add(HOURLY);
    clock.set(NOON.plusSeconds(1));
    Schedule second = Schedule.of("s", HOURLY, task().queue("other")).version(2);
    assertThat(rows.declare(connection, second)).isEqualTo(Declared.CHANGED);
    assertThat(tick()).isEqualTo(new Ticked(true, 1, "other", "k"));
    assertThat(ticks()).containsExactly("2026-06-01T12:00:00Z");
  }

  @Test
  void declaringAtOnce_addsOne() throws Exception {
    try (var threads = Executors.newFixedThreadPool(4)) {
      var together = new CyclicBarrier(4);
      Callable<Declared> process =
          () -> {
            try (Connection own = connect()) {
              together.await();
              return rows.declare(own, Schedule.of("s", HOURLY, task()));
            }
          };
      List<Declared> all = new ArrayList<>();
      for (Future<Declared> each : threads.invokeAll(List.of(process, process, process, process)))
        all.add(each.get());
      assertThat(all)
          .containsExactlyInAnyOrder(Declared.ADDED, Declared.KEPT, Declared.KEPT, Declared.KEPT);
    }
  }

  /** A live run with the clocks of Berlin, through both of its transitions. */
  @Test
  void aNightlySchedule_ticksOnceANightAlsoWhenTheClocksAreShifted() throws SQLException {
    Rhythm nightly = Rhythm.cron("30 2 * * *", ZoneId.of("Europe/Berlin"));
    for (String day : new String[] {"2026-03-27T12:00:00Z", "2026-10-23T12:00:00Z"}) {
      Instant start = Instant.parse(day);
      clock.set(start);
      add(nightly);
      for (int minutes = 0; minutes < 4 * 24 * 60; minutes += 15)
        tickAt(start.plusSeconds(60L * minutes));
      rows.remove(connection, "s");
    }
    assertThat(ticks())
        .containsExactly(
            "2026-03-28T01:30:00Z",
            "2026-03-29T01:00:00Z",
            "2026-03-30T00:30:00Z",
            "2026-03-31T00:30:00Z",
            "2026-10-24T00:30:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-26T01:30:00Z",
            "2026-10-27T01:30:00Z");
  }

  @Test
  void ticksOfLongAgo_areForgotten() throws SQLException {
    add(HOURLY);
    tickAt(NOON);
    tickAt(NOON.plus(Duration.ofDays(2)));
    clock.set(NOON.plus(Duration.ofDays(2)).plusSeconds(1));
    assertThat(new Duties(Schema.DEFAULT).pruneTicks(connection, Duration.ofDays(2))).isEqualTo(1);
    assertThat(db.number("select count(*) from dibs.schedule_tick")).isEqualTo(1);
  }

  @Test
  void promoting_tellsWhenTheNextTickIs() throws SQLException {
    var promote = new PromoteTasks(Schema.DEFAULT);
    assertThat(promote.promote(connection, 10).nextTick()).isEmpty();
    add(HOURLY);
    clock.set(NOON.minusSeconds(60));
    assertThat(promote.promote(connection, 10).nextTick().orElseThrow())
        .isBetween(Duration.ofSeconds(50), Duration.ofSeconds(60));
    clock.set(NOON.plusSeconds(60));
    assertThat(promote.promote(connection, 10).nextTick().orElseThrow()).isNegative();
  }
}
