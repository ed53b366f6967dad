package dev.dibs.worker;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.Misfire;
import dev.dibs.Outcome;
import dev.dibs.Rhythm;
import dev.dibs.Schedule;
import dev.dibs.producer.Schedules;
import dev.dibs.sql.Bell;
import dev.dibs.sql.Schema;
import dev.dibs.sql.TickSchedules;
import dev.dibs.testing.TestClock;
import dev.dibs.testing.TestDatabase;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Schedules as workers run them. */
@Timeout(240)
class SchedulesTest {
  private static final Instant NOON = Instant.parse("2026-06-01T12:00:00Z");
  private static final Kind<Json> KIND = Kind.json("report");
  private static final Rhythm HOURLY = Rhythm.cron("0 * * * *", ZoneOffset.UTC);

  private final TestDatabase db = TestDatabase.create();
  private final List<Worker> workers = Collections.synchronizedList(new ArrayList<>());

  /** How often each tick was run. */
  private final Map<String, Integer> runs = new ConcurrentHashMap<>();

  @AfterEach
  void stopAll() {
    workers.forEach(worker -> worker.stop(Duration.ZERO));
    db.close();
  }

  private static Schedule schedule(Rhythm rhythm) {
    return Schedule.of("s", rhythm, KIND.task(new Json("{}")).queue("q"));
  }

  private Worker start(Schedule... declared) {
    WorkerBuilder builder =
        Worker.on(db.dataSource())
            .queue("q", 8)
            .handle(
                KIND,
                (payload, task) -> {
                  String tick = String.valueOf(task.headers().get(Schedule.TICK_HEADER));
                  runs.merge(tick, 1, Integer::sum);
                  return Outcome.done();
                });
    for (Schedule schedule : declared) builder.schedule(schedule);
    Worker worker = builder.start();
    workers.add(worker);
    return worker;
  }

  private void awaitRuns(int ticks) {
    await().atMost(ofSeconds(20)).pollInterval(ofMillis(20)).until(() -> runs.size() >= ticks);
  }

  @Test
  void declared_isEnteredAndRunsEverySecondOnce() {
    start(schedule(Rhythm.every(ofSeconds(1))));
    start(schedule(Rhythm.every(ofSeconds(1))));
    awaitRuns(4);
    assertThat(runs.values()).containsOnly(1);
    assertThat(db.number("select count(*) from dibs.schedule")).isEqualTo(1);
  }

  /** Its workers find no tick by asking again and again: a bell tells them of it. */
  @Test
  void addedWhileWorkersRun_runsSoon() {
    start();
    await().until(() -> db.number("select count(*) from dibs.worker") == 1);
    Schedules.on(db.dataSource()).add(schedule(Rhythm.every(ofSeconds(1))));
    awaitRuns(2);
  }

  @Test
  void pausedAndResumed_holdsFromTheNextTickOn() {
    var schedules = Schedules.on(db.dataSource());
    start(schedule(Rhythm.every(ofSeconds(1))));
    awaitRuns(1);
    schedules.pause("s", "me", "a test");
    long ticks = db.number("select count(*) from dibs.schedule_tick");
    await().during(ofMillis(1_500)).atMost(ofSeconds(5)).until(() -> ticks == ticksSoFar());
    schedules.resume("s");
    await().atMost(ofSeconds(20)).until(() -> ticksSoFar() > ticks);
  }

  private long ticksSoFar() {
    return db.number("select count(*) from dibs.schedule_tick");
  }

  @Test
  void aNewerVersion_isNotRevertedByAWorkerThatDeclaresTheOld() {
    try (var log = new LogCapture()) {
      start(schedule(HOURLY));
      Schedules.on(db.dataSource()).change("s", standing -> standing.misfire(new Misfire.Skip()));
      start(schedule(HOURLY));
      assertThat(db.value("select misfire || version from dibs.schedule")).isEqualTo("skip2");
      start(schedule(HOURLY).version(2));
      assertThat(log.with("raise its version")).hasSize(1);
      start(schedule(HOURLY).version(3));
      assertThat(db.value("select misfire || version from dibs.schedule")).isEqualTo("once3");
    }
  }

  @Test
  void declaredTwice_isRefused() {
    assertThatThrownBy(() -> start(schedule(HOURLY), schedule(HOURLY)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'s'");
  }

  /** Starts and stops, one after the other, before, at and after the tick. */
  @Test
  void aHundredRestartsAroundATick_runItOnce() {
    TestClock clock = TestClock.in(db);
    clock.set(NOON.minusSeconds(1_800));
    start(schedule(HOURLY)).stop(Duration.ZERO);
    for (int i = 0; i < 100; i++) {
      if (i % 10 == 0) clock.set(NOON.minusMillis(300 - i * 2)); // again and again the same tick
      start(schedule(HOURLY)).stop(ofSeconds(5));
    }
    clock.set(NOON.plusSeconds(1));
    start(schedule(HOURLY));
    awaitRuns(1);
    assertThat(runs).hasSize(1);
    assertThat(runs).containsEntry("2026-06-01T12:00:00Z", 1);
    assertThat(ticksSoFar()).isEqualTo(1);
  }

  @Test
  void theClockSteppingBackAnHourUnderWorkers_runsNoTickTwice() {
    TestClock clock = TestClock.in(db);
    clock.set(NOON.minusSeconds(3));
    start(schedule(Rhythm.every(ofSeconds(1))));
    start(schedule(Rhythm.every(ofSeconds(1))));
    awaitRuns(4);
    clock.step(Duration.ofHours(-1));
    await().atMost(ofSeconds(20)).until(() -> db.number("select count(*) from dibs.task") == 0);
    int before = runs.size();
    await().during(ofSeconds(2)).atMost(ofSeconds(6)).until(() -> runs.size() <= before + 1);
    clock.step(Duration.ofHours(1));
    db.execute("notify dibs, 'q'"); // else it is seen within twenty seconds
    awaitRuns(before + 2);
    assertThat(runs.values()).containsOnly(1);
  }

  @Test
  void missedTicks_areMadeUpForWhenAWorkerStarts() {
    TestClock clock = TestClock.in(db);
    clock.set(NOON.minusSeconds(1_800));
    start(schedule(HOURLY).misfire(new Misfire.CatchUp(2))).stop(Duration.ZERO);
    clock.set(NOON.plus(Duration.ofHours(4)).plusSeconds(600));
    try (var log = new LogCapture()) {
      start();
      awaitRuns(2);
      assertThat(runs).containsOnlyKeys("2026-06-01T15:00:00Z", "2026-06-01T16:00:00Z");
      String missed = "schedule 's' missed its ticks since 2026-06-01T12:00:00Z: 2 tasks";
      await().atMost(ofSeconds(10)).until(() -> log.with(missed).size() == 1);
    }
  }

  @Test
  void jitter_spreadsTasksBehindTheirTicks() {
    TestClock clock = TestClock.in(db);
    clock.set(NOON.minusSeconds(1_800));
    Schedule jittered = schedule(HOURLY).jitter(Duration.ofDays(1));
    start(jittered.misfire(new Misfire.CatchUp(1_000))).stop(Duration.ZERO);
    db.execute("update dibs.schedule set queue = 'elsewhere'");
    clock.set(NOON.plus(Duration.ofHours(9)));
    start();
    await().atMost(ofSeconds(20)).until(() -> db.number("select count(*) from dibs.task") == 10);
    String tick = "(headers ->> 'dibs-tick')::timestamptz";
    assertThat(
            db.number(
                "select count(distinct run_at - %1$s) from dibs.task where run_at > %1$s and run_at < %1$s + interval '1 day'"
                    .formatted(tick)))
        .isEqualTo(10);
    assertThat(db.tasks("SCHEDULED")).isPositive();
  }

  /** What this build cannot read, or the database refuses, is said and holds up nobody else. */
  @Test
  void aScheduleThatCannotTick_doesNotKeepOthersFromIt() {
    String insert =
        "insert into dibs.schedule (name, cron, zone, kind, queue, next_tick_at)"
            + " values (?, ?, ?, 'report', 'q', now() - interval '1 hour')";
    db.execute(insert, "lunar", "0 0 * * * full-moon", "UTC");
    db.execute(insert, "martian", "* * * * *", "Mars/Olympus_Mons");
    try (var log = new LogCapture()) {
      start(schedule(Rhythm.every(ofSeconds(1))));
      awaitRuns(2);
      assertThat(log.with("schedule 'lunar' cannot tick")).hasSize(1);
      assertThat(log.with("schedule 'martian' cannot tick")).hasSize(1);
    }
  }

  /** A process need not look before a tick is due, and not at all where there is none. */
  @Test
  void ticker_saysHowLongNothingIsToBeDone() throws SQLException {
    TestClock clock = TestClock.in(db);
    clock.set(NOON.plusSeconds(1));
    var ticker =
        new Ticker(
            new TickSchedules(Schema.DEFAULT),
            new Bell(Schema.DEFAULT),
            new WorkerMeters(new SimpleMeterRegistry()),
            new Link(new Route(db.dataSource(), new Outage()), ofSeconds(5), ""));
    try (Connection connection = db.connect()) {
      assertThat(ticker.tick(connection, Duration.ofDays(1))).isEqualTo(Duration.ofDays(1));
      Schedules.on(db.dataSource()).add(schedule(HOURLY));
      assertThat(ticker.tick(connection, Duration.ofDays(1)))
          .isBetween(ofSeconds(3_500), ofSeconds(3_599));
      clock.set(NOON.plusSeconds(3_601));
      assertThat(ticker.tick(connection, Duration.ofDays(1)))
          .isBetween(ofSeconds(3_500), ofSeconds(3_599));
      assertThat(ticksSoFar()).isEqualTo(1);
    }
  }
}
