package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.dibs.Priority;
import dev.dibs.Request;
import dev.dibs.TaskStatus;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is done to one task by hand. The races are InterleavingTest's. */
@Timeout(60)
class ActOnTaskTest {
  private static final String NOBODY = "00000000-0000-0000-0000-000000000000";

  private final ActOnTask act = new ActOnTask(Schema.DEFAULT);
  private final FindTask find = new FindTask(Schema.DEFAULT);
  private final TestDatabase db = TestDatabase.create();
  private final Session session = Session.on(db);
  private final Connection connection = session.connection();

  @AfterEach
  void drop() throws SQLException {
    session.close();
    db.close();
  }

  private static Request request() {
    return Request.of("ana", "test", "INC-7");
  }

  private UUID enqueue(String more) throws SQLException {
    return UUID.fromString(
        session.value("select dibs.enqueue('k', '{\"n\": 1}', queue => 'q'" + more + ")"));
  }

  private ActOnTask.Seen seen(UUID id) {
    var row = find.find(connection, id).orElseThrow().row();
    return new ActOnTask.Seen(id, row.status(), row.attempt());
  }

  /** A task that was run and ended so. */
  private UUID ended(String outcome, String more) throws SQLException {
    UUID id = enqueue(more);
    String worker = session.value("select dibs.register('h', 1, '{q}', '{k}')");
    String lease = session.value("select lease from dibs.claim(?::uuid, '{q}', '{k}', 1)", worker);
    session.execute(
        "select dibs.finish(?, ?::uuid, ?, error => case when ? <> 'succeeded' then '\"broken\"'::jsonb end)",
        id,
        lease,
        outcome,
        outcome);
    return id;
  }

  private String audited() throws SQLException {
    return session.value(
        "select action || ' ' || result || ' by ' || actor || ': ' || why from dibs.audit order by at desc limit 1");
  }

  @Test
  void retry_bringsADeadTaskBackWithItsErrorsAndItsAttempts() throws SQLException {
    UUID id = ended("dead", ", timeout => '7 s', priority => 2, headers => '{\"h\": \"v\"}'");
    db.execute("update dibs.task_history set losses = 3, failures = 25");
    long before = db.number("select last_value from dibs.task_position");
    session.execute("listen dibs");
    var came = act.retry(connection, seen(id), Duration.ZERO, request());
    assertThat(came.result()).as(came.message()).isEqualTo("done");
    assertThat(
            session.rows(
                "select status, attempt, failures, losses, priority, timeout, payload, headers, lease is null, position > ?,"
                    + " jsonb_array_length(errors), errors -> 0 ->> 'message' from dibs.task",
                before))
        .containsExactly(
            List.of(
                "PENDING",
                "1",
                "0",
                "2",
                "2",
                "00:00:07",
                "{\"n\": 1}",
                "{\"h\": \"v\"}",
                "t",
                "t",
                "1",
                "broken"));
    assertThat(db.finished("DEAD")).isZero();
    assertThat(session.heard()).contains("q");
    assertThat(audited()).isEqualTo("task.retry done by ana: INC-7");
  }

  @Test
  void retry_laterWaitsForItsTime() throws SQLException {
    UUID id = ended("dead", "");
    act.retry(connection, seen(id), Duration.ofHours(1), request());
    assertThat(seen(id)).isEqualTo(new ActOnTask.Seen(id, TaskStatus.SCHEDULED, 1));
    act.retry(connection, seen(id), Duration.ZERO, request());
    assertThat(seen(id).status()).isEqualTo(TaskStatus.PENDING);
  }

  @Test
  void retry_ofWhatSucceededRunsACopy() throws SQLException {
    UUID id = ended("succeeded", "");
    Request request = request();
    var came = act.retry(connection, seen(id), Duration.ZERO, request);
    assertThat(came.cameTo()).isNotEqualTo(id);
    assertThat(came.cameTo().version()).isEqualTo(7);
    assertThat(seen(id).status()).isEqualTo(TaskStatus.SUCCEEDED);
    assertThat(seen(came.cameTo()))
        .isEqualTo(new ActOnTask.Seen(came.cameTo(), TaskStatus.PENDING, 0));
    assertThat(act.retry(connection, seen(id), Duration.ZERO, request).cameTo())
        .isEqualTo(came.cameTo());
    assertThat(db.tasks("PENDING")).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource(names = {"DEAD", "SUCCEEDED"})
  void retry_isRefusedWhileAnotherHasItsKey(TaskStatus status) throws SQLException {
    UUID id = ended(status == TaskStatus.DEAD ? "dead" : "succeeded", ", unique_key => 'u'");
    UUID holder = enqueue(", unique_key => 'u'");
    var came = act.retry(connection, seen(id), Duration.ZERO, request());
    assertThat(came.result()).isEqualTo("refused");
    assertThat(came.message()).contains(holder.toString()).contains("'u'");
    assertThat(seen(id).status()).isEqualTo(status);
    assertThat(audited()).startsWith("task.retry refused");
    act.delete(connection, seen(holder), request());
    came = act.retry(connection, seen(id), Duration.ZERO, request());
    assertThat(came.result()).isEqualTo("done");
    assertThat(session.value("select unique_key || unique_hold from dibs.task")).isEqualTo("utrue");
  }

  /** A task that let its key go when it was first claimed does not want it back. */
  @Test
  void retry_ofATaskThatLetItsKeyGoIsNotRefused() throws SQLException {
    UUID id = ended("dead", ", unique_key => 'u', on_conflict => 'replace'");
    enqueue(", unique_key => 'u', on_conflict => 'replace'");
    assertThat(act.retry(connection, seen(id), Duration.ZERO, request()).result())
        .isEqualTo("done");
    assertThat(db.tasks("PENDING")).isEqualTo(2);
  }

  @Test
  void cancel_cutsARunOffAndTellsItsWorker() throws SQLException {
    UUID id = enqueue("");
    String worker = session.value("select dibs.register('h', 1, '{q}', '{k}')");
    String lease = session.value("select lease from dibs.claim(?::uuid, '{q}', '{k}', 1)", worker);
    session.execute("listen dibs");
    var came = act.cancel(connection, seen(id), request());
    assertThat(came.result()).isEqualTo("done");
    assertThat(session.heard()).contains("\u0001cancelled " + id + " " + lease);
    assertThat(session.value("select dibs.finish(?, ?::uuid, 'succeeded')", id, lease))
        .isEqualTo("f");
    assertThat(session.value("select errors -> -1 ->> 'message' from dibs.task_history"))
        .isEqualTo("INC-7");
  }

  @Test
  void move_prioritise_reschedule_changeWhatWaits() throws SQLException {
    UUID id = enqueue("");
    session.execute("listen dibs");
    assertThat(act.move(connection, seen(id), "other", request()).result()).isEqualTo("done");
    assertThat(session.heard()).containsExactly("other");
    long position = db.number("select position from dibs.task");
    act.prioritise(connection, seen(id), Priority.URGENT, request());
    assertThat(db.number("select position from dibs.task")).isGreaterThan(position);
    Instant tomorrow = Instant.now().plus(Duration.ofDays(1));
    act.reschedule(connection, seen(id), tomorrow, request());
    var row = find.find(connection, id).orElseThrow().row();
    assertThat(row.queue()).isEqualTo("other");
    assertThat(row.priority()).isEqualTo(Priority.URGENT);
    assertThat(row.status()).isEqualTo(TaskStatus.SCHEDULED);
    assertThat(row.times().runAt()).isBetween(tomorrow.minusMillis(1), tomorrow.plusMillis(1));
    act.reschedule(connection, seen(id), Instant.EPOCH, request());
    assertThat(seen(id).status()).isEqualTo(TaskStatus.PENDING);
  }

  @Test
  void move_and_prioritise_leaveTheTimeAlone() throws SQLException {
    UUID waits = enqueue(", delay => '1 hour'");
    UUID ready = enqueue("");
    String times = "select string_agg(status || ' ' || run_at, ', ' order by id) from dibs.task";
    String before = session.value(times);
    for (UUID id : List.of(waits, ready)) {
      act.move(connection, seen(id), "other", request());
      act.prioritise(connection, seen(id), Priority.LOW, request());
    }
    assertThat(session.value(times)).isEqualTo(before);
    assertThat(db.number("select count(*) from dibs.task where queue = 'other' and priority = 4"))
        .isEqualTo(2);
  }

  @Test
  void move_isRefusedWhereItsKeyIsTaken() throws SQLException {
    UUID id = enqueue(", unique_key => 'u'");
    String holder = session.value("select dibs.enqueue('k', queue => 'other', unique_key => 'u')");
    var came = act.move(connection, seen(id), "other", request());
    assertThat(came.result()).isEqualTo("refused");
    assertThat(came.message()).contains(holder);
    assertThat(find.find(connection, id).orElseThrow().row().queue()).isEqualTo("q");
    assertThat(audited()).startsWith("task.move refused");
  }

  @Test
  void anAction_onWhatIsOtherwiseThanSeenChangesNothingAndIsAudited() throws SQLException {
    UUID id = enqueue("");
    var asSeen = seen(id);
    session.value("select dibs.register('h', 1, '{q}', '{k}')");
    db.execute(
        "update dibs.task set status = 'PROCESSING', attempt = 1, lease = gen_random_uuid(), worker_id = gen_random_uuid()");
    String row = session.value("select t::text from dibs.task t");
    var came = act.move(connection, asSeen, "other", request());
    assertThat(came.result()).isEqualTo("stale");
    assertThat(came.message()).isEqualTo("it was seen as PENDING.0 and is PROCESSING.1");
    var running = new ActOnTask.Seen(id, TaskStatus.PROCESSING, 1);
    assertThat(
            List.of(
                act.delete(connection, asSeen, request()).result(),
                act.cancel(connection, asSeen, request()).result(),
                act.cancel(connection, new ActOnTask.Seen(id, TaskStatus.PROCESSING, 2), request())
                    .result(),
                act.delete(connection, running, request()).result(),
                act.move(connection, running, "other", request()).result(),
                act.retry(connection, running, Duration.ZERO, request()).result(),
                act.delete(
                        connection,
                        new ActOnTask.Seen(UUID.randomUUID(), TaskStatus.DEAD, 1),
                        request())
                    .result()))
        .containsExactly("stale", "stale", "stale", "refused", "refused", "refused", "missing");
    assertThat(session.value("select t::text from dibs.task t")).isEqualTo(row);
    assertThat(db.number("select count(*) from dibs.audit where result <> 'done'")).isEqualTo(8);
  }

  @Test
  void aRequest_thatIsSentTwiceIsDoneOnce() throws SQLException {
    UUID id = enqueue("");
    Request request = request();
    var asSeen = seen(id);
    act.prioritise(connection, asSeen, Priority.HIGH, request);
    String row = session.value("select t::text from dibs.task t");
    var again = act.prioritise(connection, asSeen, Priority.LOW, request);
    assertThat(again.result()).isEqualTo("done");
    assertThat(again.message()).startsWith("asked before");
    assertThat(session.value("select t::text from dibs.task t")).isEqualTo(row);
    assertThat(db.number("select count(*) from dibs.audit")).isEqualTo(1);
    assertThatThrownBy(() -> act.delete(connection, asSeen, request))
        .hasMessageContaining("was task.prioritise of " + id);
  }

  /** The second waits for the task or the audit, and then answers what came of the first. */
  @Test
  void aRequest_thatIsSentTwiceAtOnceIsDoneOnce() throws Exception {
    UUID id = ended("dead", "");
    Request request = request();
    var asSeen = seen(id);
    for (boolean commits : List.of(false, true)) {
      connection.setAutoCommit(false);
      var first = act.retry(connection, asSeen, Duration.ZERO, request);
      assertThat(first.result()).isEqualTo("done");
      try (Session other = Session.on(db)) {
        var second =
            CompletableFuture.supplyAsync(() -> {
              try {
                return act.retry(other.connection(), asSeen, Duration.ZERO, request);
              } catch (SQLException e) {
                throw new CompletionException(e);
              }
            });
        await()
            .until(() ->
                db.number(
                        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()")
                    == 1);
        if (commits) connection.commit();
        else connection.rollback();
        connection.setAutoCommit(true);
        assertThat(second.get().result()).isEqualTo("done");
        assertThat(second.get().message().startsWith("asked before")).isEqualTo(commits);
      }
      if (!commits) {
        // Undone, so that the next round begins as this one did.
        assertThat(db.number("select count(*) from dibs.audit")).isEqualTo(1);
        db.execute("delete from dibs.audit");
        act.cancel(connection, seen(id), request());
        db.execute("update dibs.task_history set status = 'DEAD'");
        db.execute("delete from dibs.audit");
      }
    }
    assertThat(db.number("select count(*) from dibs.audit")).isEqualTo(1);
    assertThat(db.number("select count(*) from dibs.task")).isEqualTo(1);
  }

  @Test
  void reveal_isAuditedAlsoOfWhatHasEnded() throws SQLException {
    UUID id = ended("dead", "");
    Request request = request();
    assertThat(act.revealIfAudited(connection, id, request)).isEmpty();
    assertThat(audited()).isEqualTo("payload.reveal done by ana: INC-7");
    assertThat(act.revealIfAudited(connection, id, request)).contains("{\"n\": 1}");
    Request missing = request();
    for (int i = 0; i < 2; i++)
      assertThat(act.revealIfAudited(connection, UUID.fromString(NOBODY), missing)).isEmpty();
    assertThat(audited()).isEqualTo("payload.reveal missing by ana: INC-7");
    assertThat(db.number("select count(*) from dibs.audit")).isEqualTo(2);
  }

  /** Whoever rolls back what he was shown for would have looked unseen. */
  @ParameterizedTest
  @ValueSource(strings = {"", "savepoint a", "savepoint a; savepoint b"})
  void reveal_showsNothingInTheTransactionThatAudits(String before) throws SQLException {
    UUID id = enqueue("");
    Request request = request();
    connection.setAutoCommit(false);
    if (!before.isEmpty()) session.execute(before);
    assertThat(act.revealIfAudited(connection, id, request)).isEmpty();
    assertThat(act.revealIfAudited(connection, id, request)).isEmpty();
    if (!before.isEmpty()) session.execute("release savepoint a");
    assertThat(act.revealIfAudited(connection, id, request)).isEmpty();
    connection.rollback();
    connection.setAutoCommit(true);
    assertThat(db.number("select count(*) from dibs.audit")).isZero();
    assertThat(act.revealIfAudited(connection, id, request)).isEmpty();
    assertThat(act.revealIfAudited(connection, id, request)).contains("{\"n\": 1}");
  }

  @Test
  void reveal_isNotAnsweredToWhoeverTakesTheRequestOfAnother() throws SQLException {
    UUID id = enqueue("");
    Request request = request();
    assertThat(act.revealIfAudited(connection, id, request)).isEmpty();
    var other = new Request(request.id(), "bob", "test", "INC-7");
    assertThatThrownBy(() -> act.revealIfAudited(connection, id, other))
        .hasMessageContaining("was made by ana; ask under an id of your own");
  }

  /** The same request for another task at the same time waits, and is refused. */
  @Test
  void reveal_ofTwoTasksUnderOneRequestShowsOne() throws Exception {
    UUID id = enqueue("");
    UUID another = enqueue("");
    Request request = request();
    connection.setAutoCommit(false);
    assertThat(act.revealIfAudited(connection, id, request)).isEmpty();
    try (Session other = Session.on(db)) {
      var second =
          CompletableFuture.supplyAsync(() -> {
            try {
              return act.revealIfAudited(other.connection(), another, request);
            } catch (SQLException e) {
              throw new CompletionException(e);
            }
          });
      await()
          .until(() ->
              db.number(
                      "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()")
                  == 1);
      connection.commit();
      assertThatThrownBy(second::join)
          .hasMessageContaining("was payload.reveal of " + id + "; ask for something else");
    }
    connection.setAutoCommit(true);
    assertThat(act.revealIfAudited(connection, id, request)).contains("{\"n\": 1}");
  }

  /**
   * An id tells since when it may have ended; where the clocks were wrong it is found all the same.
   */
  @Test
  void find_looksWhereTheIdShouldBeAndThenEverywhere() throws SQLException {
    UUID id = ended("dead", "");
    db.execute("update dibs.task_history set finished_at = finished_at - interval '3 days'");
    assertThat(seen(id).status()).isEqualTo(TaskStatus.DEAD);
    assertThat(act.retry(connection, seen(id), Duration.ZERO, request()).result())
        .isEqualTo("done");
    var page = find.find(connection, id).orElseThrow();
    assertThat(page.errors())
        .singleElement()
        .satisfies(error -> {
          assertThat(error.type()).isEqualTo("dead");
          assertThat(error.message()).isEqualTo("broken");
          assertThat(error.attempt()).isEqualTo(1);
        });
    assertThat(find.find(connection, UUID.randomUUID())).isEmpty();
  }
}
