package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.testing.TestDatabase;
import java.sql.SQLException;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Every reason that {@code explain} knows is made true once. */
class ExplainFunctionTest {
  private final TestDatabase db = TestDatabase.create();
  private final Session session = Session.on(db);

  @AfterEach
  void drop() throws SQLException {
    session.close();
    db.close();
  }

  private String enqueued(String more) throws SQLException {
    return session.value("select dibs.enqueue('send', queue => 'mail'" + more + ")");
  }

  private String worker(String queue, String kind, int concurrency) throws SQLException {
    return session.value(
        "select dibs.register('h1', 42, array[?], array[?], ?)", queue, kind, concurrency);
  }

  /** The id of the one task that the worker claims. */
  private String claimed(String worker) throws SQLException {
    return session.value("select id from dibs.claim(?::uuid, '{mail}', '{send}', 1)", worker);
  }

  private boolean finish(String id, String outcome, String more) throws SQLException {
    return session
        .value(
            "select dibs.finish(id, lease, ?" + more + ") from dibs.task where id = ?::uuid",
            outcome,
            id)
        .equals("t");
  }

  /** All reasons as lines such as {@code due fulfilled: due for 3 s}. */
  private String explained(String id) throws SQLException {
    return session
        .rows(
            "select ordinal || ' ' || code || ' ' || effect || ': ' || sentence from dibs.explain(?::uuid)",
            id)
        .stream()
        .map(List::getFirst)
        .map(String::valueOf)
        .collect(Collectors.joining("\n"));
  }

  @Test
  void aTaskThatNothingKeeps_isTheNextOfItsLane() throws SQLException {
    worker("mail", "send", 2);
    String id = enqueued("");
    assertThat(explained(id))
        .matches(
            """
            1 due fulfilled: due for \\d s
            2 queue-active fulfilled: queue 'mail' is not paused
            3 kind-active fulfilled: kind 'send' is not paused
            4 served fulfilled: served: 1 live workers of queue 'mail' know kind 'send'
            5 room fulfilled: worker .* on h1 has room: it holds 0 of 2
            6 next fulfilled: first of its lane: queue 'mail', priority 3\
            """);
  }

  @Test
  void aTaskForLater_isNotDue() throws SQLException {
    assertThat(explained(enqueued(", delay => '130 minutes'")))
        .contains("1 not-due blocking: not due for 2 h 9 min")
        .doesNotContain("next", "behind");
  }

  @Test
  void aTaskThatNobodyMadeReady_isNotPromoted() throws SQLException {
    String id = enqueued(", delay => '1 s'");
    session.execute("update dibs.task set run_at = now() - interval '3 minutes'");
    assertThat(explained(id))
        .contains("1 not-promoted blocking: due for 3 min, but no worker has made it ready");
  }

  @Test
  void pauses_areToldWithWhoAndWhy() throws SQLException {
    String id = enqueued("");
    session.execute(
        "insert into dibs.queue (name, paused_at, paused_by, paused_why) values ('mail', now() - interval '2 hours', 'ana', 'INC-204')");
    session.execute(
        "insert into dibs.kind (name, paused_at, paused_by) values ('send', now() - interval '3 days', 'bob')");
    assertThat(explained(id))
        .contains(
            "2 queue-paused blocking: queue 'mail' was paused 2 h ago by ana: INC-204\n",
            "3 kind-paused blocking: kind 'send' was paused 3 d ago by bob\n");
    session.execute("update dibs.queue set paused_at = null");
    session.execute("update dibs.kind set paused_at = null");
    assertThat(explained(id)).contains("2 queue-active fulfilled", "3 kind-active fulfilled");
  }

  @Test
  void workers_areMissedOneByOne() throws SQLException {
    String id = enqueued("");
    assertThat(explained(id)).contains("no-worker blocking: no live worker serves queue 'mail'\n");
    String silent = worker("mail", "send", 1);
    session.execute("update dibs.worker set lease_until = now() - interval '1 s'");
    assertThat(explained(id)).contains("queue 'mail'; 1 that did are silent or dead\n");
    worker("other", "send", 1);
    worker("mail", "print", 1);
    assertThat(explained(id))
        .contains(
            "kind-unknown blocking: no worker of queue 'mail' knows kind 'send'; 1 serve the queue");
    session.execute("select dibs.heartbeat(?::uuid)", silent);
    assertThat(explained(id)).contains("served fulfilled", "room fulfilled");
    session.execute("update dibs.worker set status = 'DRAINING' where id = ?::uuid", silent);
    assertThat(explained(id))
        .contains("workers-draining blocking: all workers that could take it take no more");
  }

  @Test
  void workersWithoutRoom_areFull() throws SQLException {
    String worker = worker("mail", "send", 1);
    enqueued("");
    claimed(worker);
    String id = enqueued("");
    assertThat(explained(id))
        .contains("workers-full blocking: all workers that could take it are full: they hold 1");
    worker("mail", "send", 1);
    assertThat(explained(id)).contains("room fulfilled");
  }

  @Test
  void aTaskBehindOthers_tellsHowManyAndHowLong() throws SQLException {
    enqueued("");
    enqueued("");
    enqueued(", priority => 1");
    enqueued(", priority => 4");
    String id = enqueued("");
    assertThat(explained(id))
        .contains(
            "behind blocking: behind 2 others of its lane (queue 'mail', priority 3) and 1 more urgent; how long that takes is not known");
    session.execute(
        "insert into dibs.task_history (id, created_at, run_at, finished_at, status, priority, attempt, failures, losses, max_attempts, queue, kind, payload)"
            + " select gen_random_uuid(), now(), now(), now() - interval '30 s', 'SUCCEEDED', 3, 1, 0, 0, 25, 'mail', 'k', '{}' from generate_series(1, 30)");
    assertThat(explained(id)).contains("1 more urgent; at 0.5/s about 6 s");
  }

  @Test
  void counting_stopsAtTenThousand() throws SQLException {
    session.execute(
        "insert into dibs.task (id, queue, kind) select gen_random_uuid(), 'mail', 'send' from generate_series(1, 10001)");
    String id = enqueued("");
    assertThat(explained(id)).contains("behind more than 10000 others of its lane");
    assertThat(session.value("select details ->> 'ahead' from dibs.explain(?::uuid, 'lane')", id))
        .isEqualTo("10001");
  }

  @Test
  void aTaskThatRuns_tellsWhoHasItAndHowLongItsLeaseHolds() throws SQLException {
    String id = enqueued(", timeout => '30 s'");
    String worker = worker("mail", "send", 1);
    claimed(worker);
    assertThat(explained(id))
        .matches(
            "1 held fulfilled: runs for \\d s, attempt 1, on worker "
                + worker
                + " on h1 \\(pid 42\\), whose lease holds for 1\\d s more");
    session.execute("update dibs.task set claimed_at = now() - interval '1 minute'");
    assertThat(explained(id))
        .containsPattern("2 timed-out note: its timeout of 30 s passed 3\\d s ago");
    session.execute("update dibs.worker set lease_until = now() - interval '2 minutes'");
    assertThat(explained(id))
        .contains("1 held-silent blocking: held for 1 min by worker " + worker)
        .contains("whose lease ran out 2 min ago");
    session.execute("delete from dibs.worker");
    assertThat(explained(id))
        .contains("1 held-by-nobody blocking: held for 1 min in the name of worker " + worker);
  }

  @Test
  void aRetry_tellsTheErrorCutAndWhenItIsDue() throws SQLException {
    String id = enqueued("");
    claimed(worker("mail", "send", 1));
    String message = "no\nroute ".repeat(100);
    assertThat(
            finish(
                id,
                "retry",
                ", '5 minutes', jsonb_build_object('class', 'IOException', 'message', '"
                    + message
                    + "')"))
        .isTrue();
    assertThat(explained(id))
        .contains("1 not-due blocking: not due for 4 min\n")
        .containsPattern("2 retry note: retry 1 of 24 after IOException: no route no .{180,200}\n");
    assertThat(
            session.value(
                "select until = (select run_at from dibs.task) and since is not null from dibs.explain(?::uuid) where code = 'retry'",
                id))
        .isEqualTo("t");
  }

  @Test
  void aTaskThatKilledItsWorkers_isQuarantinedOnTheseHosts() throws SQLException {
    String id = enqueued("");
    var rescue = new RescueTasks(Schema.DEFAULT);
    for (int n = 1; n <= 3; n++) {
      String worker = worker("mail", "send", 1);
      claimed(worker);
      rescue.rescue(session.connection(), java.util.UUID.fromString(worker), "h" + n, 3, 10);
      if (n == 2)
        assertThat(explained(id)).contains("2 losses note: lost its worker 2 times on h1, h2");
    }
    assertThat(explained(id))
        .containsPattern(
            "^1 quarantined blocking: quarantined \\d s ago \\(.* UTC\\): it lost its worker 3 times, on h1, h2, h3$");
  }

  @Test
  void aTaskThatEnded_tellsHow() throws SQLException {
    String worker = worker("mail", "send", 9);
    String done = enqueued("");
    claimed(worker);
    finish(done, "succeeded", "");
    String dead = enqueued("");
    claimed(worker);
    finish(dead, "dead", ", null, '\"no such address\"'");
    String cancelled = enqueued("");
    session.execute("select dibs.cancel(?::uuid, 'ordered twice')", cancelled);
    assertThat(explained(done))
        .containsPattern(
            "^1 finished note: SUCCEEDED \\d s ago .*, attempt 1, \\d s after its claim$");
    assertThat(explained(dead))
        .containsPattern("^1 dead blocking: DEAD \\d s ago .*, attempt 1, dead: no such address$");
    assertThat(explained(cancelled))
        .containsPattern("^1 finished note: CANCELLED .*, attempt 0, cancelled: ordered twice$");
  }

  @Test
  void aBlockedTask_tellsItsKey() throws SQLException {
    String id = enqueued("");
    session.execute("update dibs.task set status = 'BLOCKED', concurrency_key = 'customer 7'");
    assertThat(explained(id))
        .contains("1 blocked blocking: waits for its concurrency key 'customer 7'");
    session.execute("update dibs.task set unique_key = 'order 7', concurrency_key = null");
    assertThat(explained(id)).contains("waits for its unique key 'order 7'");
    session.execute("update dibs.task set unique_key = null");
    assertThat(explained(id)).contains("waits for another task");
  }

  @Test
  void anIdThatIsNotKnown_tellsWhatItsTimeSays() throws SQLException {
    assertThat(explained("3f0c5bd2-60f5-4d02-8b43-5d1b0c2a3f0e"))
        .isEqualTo(
            "1 never-heard-of blocking: there is no task of this id, neither unfinished nor in history, which is kept for 7 d; the id does not tell when it was made: it is not of version 7");
    assertThat(explained("0192a000-0000-7000-8000-000000000000"))
        .contains("(2024-10-18 14:20:07 UTC), so it may have ended and been pruned");
    assertThat(explained("ffffffff-ffff-7fff-bfff-ffffffffffff")).contains("made in the future");
    session.execute("insert into dibs.queue (name, retention) values ('slow', '30 days')");
    String fresh = session.value("select dibs.uuid7()");
    assertThat(explained(fresh)).containsPattern("kept for 30 d; the id was made \\d s ago");
  }

  @Test
  void parts_areAnsweredApart() throws SQLException {
    String id = enqueued("");
    for (String part : List.of("state", "pauses", "workers", "lane")) {
      assertThat(session.rows("select code from dibs.explain(?::uuid, ?)", id, part))
          .isSubsetOf(session.rows("select code from dibs.explain(?::uuid)", id))
          .isNotEmpty();
    }
    session.refused("22023", "select * from dibs.explain(gen_random_uuid(), 'everything')");
  }

  /** Nothing of what a task carries is told, whatever state it is in. */
  @Test
  void noReason_holdsAPayload() throws SQLException {
    String id = enqueued(", payload => '\"s3cr3t\"', headers => '{\"h\": \"s3cr3t\"}'");
    String told = "select coalesce(string_agg(e::text, ' '), '') from dibs.explain(?::uuid) e";
    assertThat(session.value(told, id)).contains("mail").doesNotContain("s3cr3t");
    claimed(worker("mail", "send", 1));
    String lease = session.value("select lease from dibs.task");
    assertThat(session.value(told, id)).contains("held").doesNotContain("s3cr3t", lease);
    finish(id, "succeeded", "");
    assertThat(session.value(told, id)).contains("SUCCEEDED").doesNotContain("s3cr3t", lease);
  }
}
