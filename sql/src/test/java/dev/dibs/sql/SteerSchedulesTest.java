package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.dibs.Pause;
import dev.dibs.Request;
import dev.dibs.Retention;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is done by hand to schedules, to retentions that were seen, and to the audit's age. */
@Timeout(60)
class SteerSchedulesTest {
  private final SteerSchedules steer = new SteerSchedules(Schema.DEFAULT);
  private final ListSchedules list = new ListSchedules(Schema.DEFAULT);
  private final TestDatabase db = TestDatabase.create();
  private final Session session = Session.on(db);
  private final Connection connection = session.connection();

  @AfterEach
  void drop() throws SQLException {
    session.close();
    db.close();
  }

  private static Request by(String actor, String why) {
    return Request.of(actor, "test", why);
  }

  private void add(String name, String overlap) {
    db.execute(
        "insert into dibs.schedule (name, every, kind, queue, payload, headers, priority, overlap, next_tick_at)"
            + " values (?, '1 hour', 'report', 'q', '{\"of\": 7}', '{\"a\": \"b\"}', 2, ?, now() - interval '1 day')",
        name,
        overlap);
  }

  @Test
  void pause_byTwoShowsTheSecondWhatTheFirstSaid() throws SQLException {
    add("s", "allow");
    Request first = by("ana", "INC-7");
    assertThat(steer.pause(connection, "s", first).result()).isEqualTo("done");
    var second = steer.pause(connection, "s", by("bob", "other"));
    assertThat(second.result()).isEqualTo("stale");
    assertThat(second.message()).contains("paused already by ana");
    assertThat(second.pause().orElseThrow())
        .extracting(Pause::by, Pause::why)
        .containsExactly("ana", "INC-7");
    session.execute("listen dibs");
    assertThat(steer.resume(connection, "s", by("bob", "")).pause()).isEmpty();
    assertThat(session.heard()).containsExactly("q");
    assertThat(steer.resume(connection, "s", by("ana", "")).message())
        .isEqualTo("schedule 's' was not paused");
    var again = steer.pause(connection, "s", first); // was done before, and is not done again
    assertThat(again.result()).isEqualTo("done");
    assertThat(again.pause()).isEmpty();
    assertThat(steer.pause(connection, "none", by("ana", "")).result()).isEqualTo("missing");
    assertThat(steer.resume(connection, "none", by("ana", "")).result()).isEqualTo("missing");
    assertThat(
            session.rows(
                "select action, actor, why, before, after, result from dibs.audit order by at"))
        .containsExactly(
            List.of("schedule.pause", "ana", "INC-7", "running", "paused", "done"),
            List.of("schedule.pause", "bob", "other", "paused", "paused", "stale"),
            List.of("schedule.resume", "bob", "", "paused", "running", "done"),
            List.of("schedule.resume", "ana", "", "running", "running", "stale"),
            java.util.Arrays.asList("schedule.pause", "ana", "", null, null, "missing"),
            java.util.Arrays.asList("schedule.resume", "ana", "", null, null, "missing"));
  }

  @Test
  void resume_ticksFromNowOnAndNeverWhatWasDecided() throws SQLException {
    add("s", "allow");
    steer.pause(connection, "s", by("ana", ""));
    Instant ahead = Instant.now().plus(Duration.ofHours(5));
    session.execute("update dibs.schedule set last_tick_at = now() + interval '5 hours'");
    steer.resume(connection, "s", by("ana", ""));
    Instant next = list.find(connection, "s").orElseThrow().ticks().next();
    assertThat(next)
        .isBetween(ahead.minusSeconds(60), ahead.plus(Duration.ofHours(1)).plusSeconds(60));
    assertThat(next.getEpochSecond() % 3_600).isZero();
  }

  @Test
  void resume_ofWhatWasChangedSinceItWasSeenIsStale() throws SQLException {
    add("s", "allow");
    steer.pause(connection, "s", by("ana", ""));
    String resume =
        "select result || ': ' || message from dibs.resume_schedule('s', ?::timestamptz, now() + interval '1 hour')";
    assertThat(session.value(resume, "2020-01-01Z"))
        .isEqualTo("stale: schedule 's' was changed since it was seen");
    String seen = session.value("select changed_at from dibs.schedule");
    assertThat(session.value(resume, String.valueOf(seen))).isEqualTo("done: ");
    session.refused(
        "22023", "select * from dibs.resume_schedule('s', now(), 'infinity'::timestamptz)");
  }

  /** Two who pause at the same time meet at the row: one is done, the other sees that. */
  @Test
  void pause_ofTwoAtOnceIsDoneOnce() throws Exception {
    add("s", "allow");
    connection.setAutoCommit(false);
    assertThat(steer.pause(connection, "s", by("ana", "first")).result()).isEqualTo("done");
    try (Session other = Session.on(db)) {
      var second =
          CompletableFuture.supplyAsync(() -> {
            try {
              return steer.pause(other.connection(), "s", by("bob", "second"));
            } catch (SQLException e) {
              throw new CompletionException(e);
            }
          });
      org.awaitility.Awaitility.await()
          .atMost(Duration.ofSeconds(20))
          .until(() ->
              db.number("select count(*) from pg_stat_activity where wait_event_type = 'Lock'")
                  > 0);
      connection.commit();
      var came = second.get();
      assertThat(came.result()).isEqualTo("stale");
      assertThat(came.pause().orElseThrow().why()).isEqualTo("first");
    }
  }

  @Test
  void run_enqueuesWhatATickWouldAlsoWhilePausedAndOnce() throws SQLException {
    add("s", "allow");
    steer.pause(connection, "s", by("ana", ""));
    String next = session.value("select next_tick_at from dibs.schedule");
    session.execute("listen dibs");
    Request request = by("bob", "INC-8");
    var ran = steer.run(connection, "s", request);
    assertThat(session.heard()).containsExactly("q");
    assertThat(steer.run(connection, "s", request).task()).isEqualTo(ran.task());
    assertThat(
            session.rows(
                "select t.id, t.status, t.priority, t.kind, t.queue, t.payload, t.headers - 'dibs-tick', (t.headers ->> 'dibs-tick')::timestamptz > now() - interval '1 minute' from dibs.task t"))
        .containsExactly(
            List.of(
                ran.task().orElseThrow().toString(),
                "PENDING",
                "2",
                "report",
                "q",
                "{\"of\": 7}",
                "{\"a\": \"b\", \"dibs-schedule\": \"s\"}",
                "t"));
    assertThat(Instant.parse(session.value("select headers ->> 'dibs-tick' from dibs.task")))
        .isNotNull();
    assertThat(session.value("select next_tick_at from dibs.schedule")).isEqualTo(next);
    assertThat(steer.run(connection, "none", by("bob", "")).result()).isEqualTo("missing");
    assertThat(
            session.rows(
                "select actor, after, result from dibs.audit where action = 'schedule.run' order by at"))
        .containsExactly(
            List.of("bob", "task " + ran.task().orElseThrow(), "done"),
            java.util.Arrays.asList("bob", null, "missing"));
  }

  @Test
  void run_overlapsNothingWhereThatIsNotWanted() throws SQLException {
    add("s", "skip");
    UUID task = steer.run(connection, "s", by("bob", "")).task().orElseThrow();
    var second = steer.run(connection, "s", by("bob", ""));
    assertThat(second.result()).isEqualTo("refused");
    assertThat(second.message()).contains(task.toString(), "has not ended");
    session.execute("select dibs.cancel(?::uuid)", task.toString());
    assertThat(steer.run(connection, "s", by("bob", "")).result()).isEqualTo("done");
  }

  @Test
  void list_pagesTwoHundredByName() throws SQLException {
    for (int i = 0; i < 200; i++) add("s%03d".formatted(i), "allow");
    List<String> names = new ArrayList<>();
    for (String after = ""; ; after = names.getLast()) {
      var page = list.list(connection, "", after, 50);
      if (page.isEmpty()) break;
      page.forEach(row -> names.add(row.name()));
    }
    assertThat(names).hasSize(200).isSorted().doesNotHaveDuplicates();
    assertThat(list.list(connection, "s19", "s195", 50)).hasSize(4);
    assertThat(list.list(connection, "%", "", 50)).isEmpty();
  }

  @Test
  void retention_isChangedOnlyIfItIsAsSeen() throws SQLException {
    var steerQueue = new Steer(Schema.DEFAULT);
    Retention month = Retention.DEFAULT.withDead(Duration.ofDays(30));
    Request request = by("ana", "law");
    var first = steerQueue.retainIfAsSeen(connection, "q", Retention.DEFAULT, month, request);
    assertThat(first.result()).isEqualTo("done");
    var again = steerQueue.retainIfAsSeen(connection, "q", Retention.DEFAULT, month, request);
    assertThat(again.result()).isEqualTo("done");
    Retention none = Retention.of(Duration.ZERO);
    var stale =
        steerQueue.retainIfAsSeen(connection, "q", Retention.DEFAULT, none, by("bob", "disk"));
    assertThat(stale.result()).isEqualTo("stale");
    assertThat(stale.message()).contains("dead 720:00:00");
    assertThat(steerQueue.retainIfAsSeen(connection, "q", month, none, by("bob", "disk")).result())
        .isEqualTo("done");
    assertThat(session.rows("select actor, result from dibs.audit where target = 'q' order by at"))
        .containsExactly(List.of("ana", "done"), List.of("bob", "stale"), List.of("bob", "done"));
    assertThat(session.value("select retention_dead from dibs.queue")).isEqualTo("00:00:00");
  }

  @Test
  void audit_isKeptForEverUnlessItIsSaidForHowLong() throws SQLException {
    var duties = new Duties(Schema.DEFAULT);
    session.execute(
        "insert into dibs.audit (id, at, actor, source, action, target, result)"
            + " select gen_random_uuid(), now() - n * interval '1 day', 'a', '', 'x.y', 'z', 'done' from generate_series(1, 50) n");
    assertThat(duties.pruneAudit(connection, 10)).isFalse();
    assertThat(db.number("select count(*) from dibs.audit")).isEqualTo(50);
    assertThat(session.refused("22023", "select dibs.retain_audit('29 days')"))
        .contains("30 to 36525 days", "29 days");
    session.execute("select dibs.retain_audit('30 days', 'law', actor => 'ana')");
    assertThat(duties.pruneAudit(connection, 10)).isTrue();
    assertThat(duties.pruneAudit(connection, 10)).isTrue();
    assertThat(duties.pruneAudit(connection, 10)).isFalse();
    assertThat(db.number("select count(*) from dibs.audit where action = 'x.y'")).isEqualTo(29);
    session.execute("select dibs.retain_audit(null, actor => 'ana')");
    assertThat(
            session.rows(
                "select before, after, why from dibs.audit where action = 'audit.retain' order by at"))
        .containsExactly(List.of("for ever", "30 days", "law"), List.of("30 days", "for ever", ""));
  }

  @Test
  void schedule_thatThisBuildDoesNotUnderstandIsLeftPaused() throws SQLException {
    add("s", "allow");
    session.execute("update dibs.schedule set every = null, cron = 'some day'");
    steer.pause(connection, "s", by("ana", ""));
    assertThatThrownBy(() -> steer.resume(connection, "s", by("ana", "")))
        .hasMessageContaining("schedule 's' is not understood by this build");
    assertThat(list.find(connection, "s").orElseThrow().paused()).isPresent();
  }
}
