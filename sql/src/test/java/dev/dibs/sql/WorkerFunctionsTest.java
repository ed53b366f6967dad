package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.Task;
import dev.dibs.testing.TestDatabase;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The functions by which workers in other languages work. */
@Timeout(30)
class WorkerFunctionsTest {
  private static final String FINISH = "select dibs.finish(?::uuid, ?::uuid, ";

  private final TestDatabase db = TestDatabase.create();
  private final Session session = Session.on(db);

  @AfterEach
  void drop() throws SQLException {
    session.close();
    db.close();
  }

  private String register() throws SQLException {
    return session.value("select dibs.register('h', 1, '{q,r}', '{k}', 4, 'test')");
  }

  private List<Task.Hold> claim(String worker, int max) throws SQLException {
    return session
        .rows("select id, lease from dibs.claim(?::uuid, '{q,r,q}', '{k}', ?)", worker, max)
        .stream()
        .map(row ->
            new Task.Hold(
                UUID.fromString(String.valueOf(row.get(0))),
                UUID.fromString(String.valueOf(row.get(1)))))
        .toList();
  }

  private Task.Hold claimOne() throws SQLException {
    return claim(register(), 1).getFirst();
  }

  private boolean finish(Task.Hold hold, String outcome) throws SQLException {
    return session.value(FINISH + outcome + ")", hold.id(), hold.lease()).equals("t");
  }

  private void enqueue(int count) throws SQLException {
    session.execute(
        "select dibs.enqueue('k', to_jsonb(n), queue => 'q') from generate_series(1, ?) n", count);
  }

  @Test
  void claim_answersTheTaskAndItsLease() throws SQLException {
    String id =
        session.value(
            "select dibs.enqueue('k', '7', queue => 'q', headers => '{\"a\": \"b\"}', timeout => '5 s', max_attempts => 2)");
    String worker = register();
    var rows =
        session.rows(
            "select id, queue, kind, payload, headers, attempt, failures, losses, max_attempts, timeout, lease is not null"
                + " from dibs.claim(?::uuid, '{q}', '{k}', 10)",
            worker);
    assertThat(rows)
        .containsExactly(
            List.of(id, "q", "k", "7", "{\"a\": \"b\"}", "1", "0", "0", "2", "00:00:05", "t"));
    assertThat(session.rows("select status, worker_id, attempt from dibs.task"))
        .containsExactly(List.of("PROCESSING", worker, "1"));
    assertThat(claim(worker, 10)).isEmpty();
  }

  @Test
  void claim_takesTheUrgentFirstAndNoMoreThanAskedFor() throws SQLException {
    String worker = register();
    for (int round = 0; round < 40; round++) {
      session.execute(
          "select dibs.enqueue('k', to_jsonb(p), case p % 2 when 0 then 'q' else 'r' end, p) from unnest('{4,3,2,1,1,2,3,4}'::int[]) p");
      assertThat(claim(worker, 3)).hasSize(3);
      session.execute(
          "update dibs.task set errors = to_jsonb(?::int) where lease is not null and errors is null",
          round);
      session.execute("delete from dibs.task where lease is null");
    }
    // An eighth of the claims begin with a lower priority, the others are strict.
    assertThat(
            db.number(
                "select count(*) from (select errors from dibs.task group by 1 having array_agg(priority order by priority) = '{1,1,2}') t"))
        .isGreaterThan(20);
  }

  @Test
  void claim_keepsTheOrderWithinALane() throws SQLException {
    enqueue(20);
    assertThat(
            session
                .rows("select payload from dibs.claim(?::uuid, '{q}', '{k}', 10)", register())
                .stream()
                .map(row -> row.getFirst()))
        .containsExactly("1", "2", "3", "4", "5", "6", "7", "8", "9", "10");
  }

  @Test
  void claim_leavesOtherKindsPausedQueuesAndWhatIsNotDue() throws SQLException {
    session.execute("select dibs.enqueue('other', queue => 'q')");
    session.execute("select dibs.enqueue('k', queue => 'elsewhere')");
    session.execute("select dibs.enqueue('k', queue => 'q', delay => '1 hour')");
    session.execute("select dibs.enqueue('k', queue => 'r')");
    session.execute("insert into dibs.queue (name, paused_at) values ('r', now())");
    String worker = register();
    assertThat(claim(worker, 10)).isEmpty();
    session.execute("update dibs.queue set paused_at = null");
    assertThat(claim(worker, 10)).hasSize(1);
  }

  @Test
  void claim_skipsRowsLockedByAnotherSession() throws SQLException {
    enqueue(5);
    try (Session theirs = Session.on(db)) {
      theirs.connection().setAutoCommit(false);
      String other = register();
      var taken =
          theirs.rows("select id from dibs.claim(?::uuid, '{q}', '{k}', 3)", other).stream()
              .map(row -> String.valueOf(row.getFirst()))
              .toList();
      assertThat(claim(register(), 5))
          .hasSize(2)
          .noneMatch(hold -> taken.contains(hold.id().toString()));
      theirs.connection().commit();
    }
  }

  @Test
  void claim_refusesWorkersThatAreUnknownOrDead() throws SQLException {
    String sql = "select * from dibs.claim(?::uuid, '{q}', '{k}', 1)";
    assertThat(session.refused("55000", sql, UUID.randomUUID())).contains("register anew");
    String worker = register();
    session.execute("update dibs.worker set status = 'DEAD'");
    assertThat(session.refused("55000", sql, worker)).contains("register anew");
    assertThat(
            session.refused("22023", "select * from dibs.claim(?::uuid, '{q}', '{k}', 0)", worker))
        .contains("max must be 1 to 10000, was 0");
  }

  @Test
  void register_refusesAWorkerThatDoesNothing() {
    for (String arguments :
        List.of(
            "'', 1, '{q}', '{k}'",
            "'h', null, '{q}', '{k}'",
            "'h', 1, '{}', '{k}'",
            "'h', 1, '{q}', null",
            "'h', 1, '{q,null}', '{k}'",
            "'h', 1, '{q}', '{k}', 0")) {
      assertThat(session.refused("22023", "select dibs.register(" + arguments + ")"))
          .contains("host, pid, queues and kinds");
    }
  }

  @Test
  void heartbeat_renewsTheLeaseUntilOthersDeclareTheWorkerDead() throws SQLException {
    String worker = register();
    session.execute("update dibs.worker set lease_until = now() - interval '1 s'");
    String before = session.value("select now()");
    assertThat(session.value("select dibs.heartbeat(?::uuid)", worker)).isEqualTo("t");
    assertThat(
            session.rows(
                "select beat, lease_until between ?::timestamptz + interval '15 s' and now() + interval '15 s' from dibs.worker",
                before))
        .containsExactly(List.of("1", "t"));
    session.execute("update dibs.worker set status = 'DEAD'");
    assertThat(session.value("select dibs.heartbeat(?::uuid)", worker)).isEqualTo("f");
    assertThat(session.value("select dibs.heartbeat(gen_random_uuid())")).isEqualTo("f");
  }

  @ParameterizedTest
  @CsvSource({"succeeded, SUCCEEDED", "dead, DEAD", "cancelled, CANCELLED"})
  void finish_endsTheTask(String outcome, String status) throws SQLException {
    enqueue(1);
    Task.Hold hold = claimOne();
    assertThat(finish(hold, "'" + outcome + "'")).isTrue();
    assertThat(finish(hold, "'" + outcome + "'")).isFalse();
    assertThat(
            session.rows(
                "select status, id, lease, attempt, payload, errors -> 0 ->> 'class' from dibs.task_history"))
        .containsExactly(
            java.util.Arrays.asList(
                status,
                hold.id().toString(),
                hold.lease().toString(),
                "1",
                "1",
                outcome.equals("succeeded") ? null : outcome));
    assertThat(session.value("select count(*) from dibs.task")).isEqualTo("0");
  }

  @Test
  void finish_keepsNoHistoryOfAQueueThatWantsNone() throws SQLException {
    session.execute("insert into dibs.queue (name, retention) values ('q', '0')");
    enqueue(2);
    assertThat(finish(claimOne(), "'succeeded'")).isTrue();
    session.execute("select dibs.cancel(id) from dibs.task");
    assertThat(session.value("select count(*) from dibs.task_history")).isEqualTo("0");
  }

  @ParameterizedTest
  @ValueSource(strings = {"'succeeded'", "'retry'", "'snooze', '1 s'", "'dead'", "'released'"})
  void finish_writesNothingWithoutTheLease(String outcome) throws SQLException {
    enqueue(1);
    Task.Hold hold = claimOne();
    String before = session.value("select t::text from dibs.task t");
    assertThat(finish(new Task.Hold(hold.id(), UUID.randomUUID()), outcome)).isFalse();
    assertThat(session.value("select t::text from dibs.task t")).isEqualTo(before);
    session.execute("update dibs.task set lease = gen_random_uuid()");
    assertThat(finish(hold, outcome)).isFalse();
    assertThat(db.tasks("PROCESSING")).isEqualTo(1);
    assertThat(session.value("select count(*) from dibs.task_history")).isEqualTo("0");
  }

  @Test
  void retry_backsOffByTheFourthPowerAndKeepsTheError() throws SQLException {
    enqueue(1);
    for (int failures = 1; failures <= 3; failures++) {
      Task.Hold hold = claimOne();
      String before = session.value("select now()");
      assertThat(
              finish(
                  hold,
                  "'retry', error => '{\"class\": \"ValueError\", \"message\": \"no. 1\", \"stack\": \"at x\", \"junk\": 1}'"))
          .isTrue();
      String wait = "select extract(epoch from run_at - ?::timestamptz) from dibs.task";
      double expected = Math.pow(failures, 4);
      assertThat(Double.parseDouble(session.value(wait, before)))
          .isGreaterThanOrEqualTo(expected * 0.9);
      assertThat(Double.parseDouble(session.value(wait, session.value("select now()"))))
          .isLessThanOrEqualTo(expected * 1.1);
      assertThat(session.rows("select status, failures, worker_id, lease from dibs.task"))
          .containsExactly(
              java.util.Arrays.asList("SCHEDULED", Integer.toString(failures), null, null));
      session.execute("update dibs.task set status = 'PENDING'");
    }
    assertThat(
            session.rows(
                "select jsonb_array_length(errors), errors -> 2 ->> 'class', errors -> 2 ->> 'message', errors -> 2 ->> 'attempt',"
                    + " errors -> 2 ?? 'at', errors -> 2 ?? 'stack', errors -> 2 ?? 'junk', errors -> 0 -> 'group' = errors -> 2 -> 'group' from dibs.task"))
        .containsExactly(List.of("3", "ValueError", "no. 1", "3", "t", "t", "f", "t"));
    session.execute("update dibs.task set failures = 100, max_attempts = 1000");
    finish(claimOne(), "'retry', error => '\"just text\"'");
    assertThat(
            Double.parseDouble(
                session.value("select extract(epoch from run_at - now()) from dibs.task")))
        .isBetween(86400 * 0.9 - 1, 86400 * 1.1);
    assertThat(session.value("select errors -> 3 ->> 'message' from dibs.task"))
        .isEqualTo("just text");
  }

  @Test
  void retry_thatIsOneTooManyIsTheTasksDeath() throws SQLException {
    session.execute("select dibs.enqueue('k', queue => 'q', max_attempts => 2)");
    assertThat(finish(claimOne(), "'retry', '0'")).isTrue();
    assertThat(finish(claimOne(), "'retry', '0', '\"again\"'")).isTrue();
    assertThat(session.rows("select status, errors -> -1 ->> 'message' from dibs.task_history"))
        .containsExactly(List.of("DEAD", "again"));
  }

  @Test
  void errors_areCutAndOnlyTheLastTenAreKept() throws SQLException {
    enqueue(1);
    for (int i = 1; i <= 12; i++) {
      Task.Hold hold = claimOne();
      finish(hold, "'retry', '0', to_jsonb(" + i + " || repeat('x', 20000))");
    }
    assertThat(
            session.rows(
                "select jsonb_array_length(errors), left(errors -> 0 ->> 'message', 2), left(errors -> 9 ->> 'message', 3),"
                    + " length(errors -> 9 ->> 'message') from dibs.task"))
        .containsExactly(List.of("10", "3x", "12x", "8192"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'snooze', '1 hour' | SCHEDULED",
        "'snooze', '0' | PENDING",
        "'released' | PENDING",
        "'released', '1 minute' | SCHEDULED"
      })
  void snoozeAndReleased_useUpNoAttempt(String outcome, String status) throws SQLException {
    enqueue(2);
    Task.Hold hold = claimOne();
    assertThat(finish(hold, outcome)).isTrue();
    assertThat(
            session.rows(
                "select status, failures, errors, position > (select position from dibs.task o where o.id <> t.id) from dibs.task t where id = ?",
                hold.id()))
        .containsExactly(
            java.util.Arrays.asList(status, "0", null, status.equals("PENDING") ? "t" : "f"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'done' | outcome must be succeeded, retry, snooze, dead, cancelled or released, was 'done'",
        "null | was NULL",
        "'snooze' | delay goes with snooze, which needs it",
        "'succeeded', '1 s' | delay goes with snooze",
        "'retry', '200 years' | delay must be at most 100 years, was 200 years"
      })
  void finish_refusesWhatMeansNothing(String outcome, String message) throws SQLException {
    enqueue(1);
    Task.Hold hold = claimOne();
    assertThat(session.refused("22023", FINISH + outcome + ")", hold.id(), hold.lease()))
        .contains(message);
    assertThat(db.tasks("PROCESSING")).isEqualTo(1);
  }

  @Test
  void finish_tellsOthersOfTasksThatComeAgain() throws SQLException {
    enqueue(2);
    List<Task.Hold> holds = claim(register(), 2);
    try (Session listener = Session.on(db)) {
      listener.execute("listen dibs");
      finish(holds.get(0), "'succeeded'");
      assertThat(listener.heard()).isEmpty();
      finish(holds.get(1), "'retry', '1 s'");
      assertThat(listener.heard()).containsExactly("q");
    }
  }

  @Test
  void deregister_givesBackWhatIsHeld() throws SQLException {
    enqueue(3);
    String worker = register();
    List<Task.Hold> holds = claim(worker, 2);
    assertThat(session.value("select dibs.deregister(?::uuid)", worker)).isEqualTo("t");
    assertThat(session.value("select dibs.deregister(?::uuid)", worker)).isEqualTo("f");
    assertThat(session.value("select count(*) from dibs.worker")).isEqualTo("0");
    assertThat(db.tasks("PENDING")).isEqualTo(3);
    assertThat(session.value("select sum(failures + losses) from dibs.task")).isEqualTo("0");
    assertThat(finish(holds.getFirst(), "'succeeded'")).isFalse();
  }

  @Test
  void cancel_endsATaskAndTellsTheWorkerThatRanIt() throws SQLException {
    enqueue(2);
    Task.Hold hold = claimOne();
    try (Session listener = Session.on(db)) {
      listener.execute("listen dibs");
      assertThat(session.value("select dibs.cancel(?::uuid, 'why')", hold.id()))
          .isEqualTo("PROCESSING");
      assertThat(listener.heard())
          .singleElement()
          .satisfies(heard -> assertThat(Bell.cancelled(heard)).isEqualTo(Optional.of(hold)));
    }
    assertThat(finish(hold, "'succeeded'")).isFalse();
    assertThat(session.value("select dibs.cancel(?::uuid)", hold.id())).isEqualTo("CANCELLED");
    assertThat(session.value("select dibs.cancel(gen_random_uuid())")).isEqualTo("null");
    assertThat(session.value("select dibs.cancel(id) from dibs.task")).isEqualTo("PENDING");
    assertThat(
            session.rows(
                "select count(*), count(lease), max(errors -> 0 ->> 'message') from dibs.task_history"))
        .containsExactly(List.of("2", "0", "why"));
  }

  /** A worker in another language that dies is rescued as one of Java is. */
  @Test
  void tasksOfADeadWorker_areRescuedByTheEnginesStatements() throws SQLException {
    enqueue(1);
    String worker = register();
    Task.Hold hold = claim(worker, 1).getFirst();
    session.execute("update dibs.worker set lease_until = now() - interval '1 s'");
    var rows = new WorkerRows(Schema.DEFAULT);
    var sign = new WorkerRows.Sign(UUID.fromString(worker), "h", 0, true, false);
    assertThat(rows.buryIfSilent(session.connection(), sign)).isTrue();
    var rescued =
        new RescueTasks(Schema.DEFAULT)
            .rescue(session.connection(), UUID.fromString(worker), "h", 3, 10);
    assertThat(rescued.returned()).isEqualTo(1);
    assertThat(finish(hold, "'succeeded'")).isFalse();
    assertThat(session.value("select dibs.heartbeat(?::uuid)", worker)).isEqualTo("f");
  }
}
