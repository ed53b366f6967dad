package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.testing.TestDatabase;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What becomes of a task whose unique key another one holds. */
@Timeout(30)
class UniqueFunctionTest {
  private final TestDatabase db = TestDatabase.create();
  private final Session session = Session.on(db);

  @AfterEach
  void drop() throws SQLException {
    session.close();
    db.close();
  }

  private String enqueue(int payload, String more) throws SQLException {
    return enqueueOn(session, payload, more);
  }

  private static String enqueueOn(Session on, int payload, String more) throws SQLException {
    return on.value(
        "select dibs.enqueue('k', to_jsonb(?::int), 'q', unique_key => 'u'" + more + ")", payload);
  }

  private String policy(String policy) {
    return ", on_conflict => '" + policy + "'";
  }

  /** Claims the one that is ready; answers its id. */
  private String claim() throws SQLException {
    return session.value(
        "select id from dibs.claim(dibs.register('h', 1, '{q}', '{k}'), '{q}', '{k}', 1)");
  }

  private List<List<String>> tasks() throws SQLException {
    return session
        .rows(
            "select payload, status, attempt, unique_hold from dibs.task order by attempt desc, position")
        .stream()
        .map(row -> row.stream().map(String::valueOf).toList())
        .toList();
  }

  @Test
  void keep_answersTheTaskThatHoldsTheKeyUntilItHasEnded() throws SQLException {
    String first = enqueue(1, "");
    assertThat(enqueue(2, "")).isEqualTo(first);
    assertThat(claim()).isEqualTo(first);
    assertThat(enqueue(3, "")).isEqualTo(first);
    session.execute("select dibs.finish(id, lease, 'retry', '1 hour') from dibs.task");
    assertThat(enqueue(4, "")).isEqualTo(first);
    session.execute("select dibs.cancel(id) from dibs.task");
    assertThat(enqueue(5, "")).isNotEqualTo(first);
    assertThat(tasks()).containsExactly(List.of("5", "PENDING", "0", "t"));
  }

  @Test
  void untilStarted_letsAnotherOneWaitBesideTheRunningOne() throws SQLException {
    String first = enqueue(1, ", unique_until => 'started'");
    assertThat(enqueue(2, ", unique_until => 'started'")).isEqualTo(first);
    claim();
    String second = enqueue(3, ", unique_until => 'started'");
    assertThat(second).isNotEqualTo(first);
    assertThat(enqueue(4, ", unique_until => 'started'")).isEqualTo(second);
    assertThat(tasks())
        .containsExactly(List.of("1", "PROCESSING", "1", "f"), List.of("3", "PENDING", "0", "f"));
  }

  @Test
  void keysOfOtherQueues_areOthers() throws SQLException {
    String first = enqueue(1, "");
    assertThat(session.value("select dibs.enqueue('k', queue => 'other', unique_key => 'u')"))
        .isNotEqualTo(first);
  }

  @Test
  void reject_saysWhichTaskHoldsTheKeyAndWhatToDo() throws SQLException {
    String first = enqueue(1, "");
    String said =
        session.refused(
            "23505",
            "select dibs.enqueue('k', queue => 'q', unique_key => 'u', on_conflict => 'reject')");
    assertThat(said)
        .contains("queue 'q' has a task with the unique key 'u' already", first, "'keep'");
    assertThat(tasks()).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource({
    "replace, 2, SCHEDULED, 02:00:00, REPLACED",
    "replace-payload, 2, SCHEDULED, 01:00:00, REPLACED",
    "postpone, 1, SCHEDULED, 02:00:00, POSTPONED"
  })
  void policies_changeWhatTheySayOfAWaitingTask(
      String policy, String payload, String status, String delay, String landing)
      throws SQLException {
    String first = enqueue(1, ", delay => '1 hour'");
    var landed =
        session.rows(
            "select id, landing from dibs.enqueue_many(jsonb_build_array(jsonb_build_object('kind', 'k', 'payload', 2,"
                + " 'queue', 'q', 'uniqueKey', 'u', 'delay', '2h', 'onConflict', ?::text)))",
            policy);
    assertThat(landed).containsExactly(List.of(first, landing));
    assertThat(
            session.rows(
                "select payload, status, date_trunc('minute', run_at - now() + interval '30 s') from dibs.task"))
        .containsExactly(List.of(payload, status, delay));
  }

  @Test
  void replace_keepsThePlaceOfAReadyTaskAndGivesANewOneToOneThatBecomesReady() throws SQLException {
    enqueue(1, "");
    String position = session.value("select position from dibs.task");
    enqueue(2, policy("replace"));
    assertThat(session.value("select position from dibs.task")).isEqualTo(position);
    enqueue(3, policy("replace") + ", delay => '1 h'");
    assertThat(session.rows("select status, position from dibs.task"))
        .containsExactly(List.of("SCHEDULED", position));
    enqueue(4, policy("replace"));
    assertThat(session.rows("select status, position > ? from dibs.task", Long.valueOf(position)))
        .containsExactly(List.of("PENDING", "t"));
    session.execute("update dibs.task set status = 'BLOCKED'");
    enqueue(5, policy("postpone") + ", delay => '1 h'");
    enqueue(6, policy("replace"));
    assertThat(tasks()).containsExactly(List.of("6", "BLOCKED", "0", "t"));
  }

  @Test
  void replace_goesInBesideARunningTaskAndThenReplacesThat() throws SQLException {
    String first = enqueue(1, "");
    claim();
    String second = enqueue(2, policy("replace"));
    assertThat(second).isNotEqualTo(first);
    assertThat(enqueue(3, policy("replace"))).isEqualTo(second);
    assertThat(enqueue(4, policy("keep"))).isEqualTo(second);
    assertThat(tasks())
        .containsExactly(List.of("1", "PROCESSING", "1", "t"), List.of("3", "PENDING", "0", "f"));
  }

  @Test
  void replace_goesInBesideATaskThatWaitsForItsRetry() throws SQLException {
    String first = enqueue(1, "");
    claim();
    session.execute("select dibs.finish(id, lease, 'retry', '1 hour') from dibs.task");
    assertThat(enqueue(2, policy("replace"))).isNotEqualTo(first);
    assertThat(tasks())
        .containsExactly(List.of("1", "SCHEDULED", "1", "t"), List.of("2", "PENDING", "0", "f"));
  }

  @Test
  void ownId_isFoundBeforeTheKey() throws SQLException {
    String id = UUID.randomUUID().toString();
    enqueue(1, ", on_conflict => 'replace', id => '" + id + "'");
    enqueue(2, ", on_conflict => 'replace', id => '" + id + "'");
    assertThat(tasks()).containsExactly(List.of("1", "PENDING", "0", "f"));
  }

  @Test
  void enqueueMany_tellsHowEachLanded() throws SQLException {
    enqueue(1, "");
    var landed =
        session.rows(
            """
            select ordinal, landing from dibs.enqueue_many('[
              {"kind": "k", "queue": "q", "uniqueKey": "u"},
              {"kind": "k", "queue": "q", "uniqueKey": "u", "onConflict": "reject"},
              {"kind": "k", "queue": "q", "uniqueKey": "u", "onConflict": "postpone"},
              {"kind": "k", "queue": "q", "uniqueKey": "b", "uniqueUntil": "started"},
              {"kind": "k", "queue": "q", "uniqueKey": "b", "onConflict": "replace"},
              {"kind": "k", "queue": "q"}]')\
            """);
    assertThat(landed.stream().map(row -> row.get(1)))
        .containsExactly("KEPT", "REJECTED", "POSTPONED", "INSERTED", "REPLACED", "INSERTED");
    claim();
    assertThat(
            session.value(
                "select landing from dibs.enqueue_many('[{\"kind\": \"k\", \"queue\": \"q\", \"uniqueKey\": \"u\", \"onConflict\": \"replace\"}]')"))
        .isEqualTo("INSERTED");
  }

  /** The loser waits for the winner's commit and then stands by what that left. */
  @Test
  void enqueue_thatMeetsAnotherOneUnderWay_findsWhatItLeft() throws Exception {
    try (Session theirs = Session.on(db)) {
      theirs.connection().setAutoCommit(false);
      String first = enqueueOn(theirs, 1, "");
      var ours = CompletableFuture.supplyAsync(() -> replace(2));
      awaitLock();
      theirs.connection().commit();
      assertThat(ours.join()).isEqualTo(first);
      String second = enqueueOn(theirs, 3, ", unique_until => 'started'");
      theirs.connection().rollback();
      assertThat(second).isEqualTo(first);
    }
    assertThat(tasks()).containsExactly(List.of("2", "PENDING", "0", "t"));
  }

  private String replace(int payload) {
    try {
      return enqueue(payload, policy("replace"));
    } catch (SQLException e) {
      throw new CompletionException(e);
    }
  }

  private void awaitLock() {
    await()
        .until(() ->
            db.number(
                    "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
                == 1);
  }

  /**
   * A replacement that a claim overtakes leaves no lock on the running task: its outcome is written
   * while the enqueuer's transaction is still open.
   */
  @Test
  void replace_thatAClaimOvertook_holdsUpNoOutcome() throws Exception {
    enqueue(1, "");
    try (Session claimer = Session.on(db);
        Session enqueuer = Session.on(db)) {
      claimer.connection().setAutoCommit(false);
      var held =
          claimer
              .rows(
                  "select id, lease from dibs.claim(dibs.register('h', 1, '{q}', '{k}'), '{q}', '{k}', 1)")
              .getFirst();
      enqueuer.connection().setAutoCommit(false);
      var replaced =
          CompletableFuture.supplyAsync(() -> {
            try {
              return enqueueOn(enqueuer, 2, policy("replace"));
            } catch (SQLException e) {
              throw new CompletionException(e);
            }
          });
      awaitLock();
      claimer.connection().commit();
      assertThat(replaced.join()).isNotEqualTo(held.getFirst());
      session.execute("set lock_timeout = '2 s'");
      assertThat(
              session.value(
                  "select dibs.finish(?::uuid, ?::uuid, 'succeeded')", held.get(0), held.get(1)))
          .isEqualTo("t");
      enqueuer.connection().commit();
    }
    assertThat(tasks()).containsExactly(List.of("2", "PENDING", "0", "f"));
  }

  @Test
  void enqueue_inAStrictTransactionThatWasOvertakenSaysSo() throws SQLException {
    try (Session strict = Session.on(db)) {
      strict.connection().setTransactionIsolation(java.sql.Connection.TRANSACTION_REPEATABLE_READ);
      strict.connection().setAutoCommit(false);
      strict.execute("select count(*) from dibs.task");
      enqueue(1, "");
      strict.refused("40001", "select dibs.enqueue('k', '2', queue => 'q', unique_key => 'u')");
      strict.connection().rollback();
    }
  }

  @Test
  void cancelUnique_endsWhatStandsForTheKeyAndTellsItsWorker() throws SQLException {
    enqueue(1, "");
    claim();
    enqueue(2, policy("replace"));
    String lease = session.value("select lease from dibs.task where lease is not null");
    session.execute("select dibs.enqueue('k', queue => 'q', unique_key => 'other')");
    try (Session listener = Session.on(db)) {
      listener.execute("listen dibs");
      assertThat(session.value("select dibs.cancel_unique('q', 'u', 'not wanted')")).isEqualTo("2");
      assertThat(listener.heard()).singleElement().asString().endsWith(lease);
    }
    assertThat(session.value("select dibs.cancel_unique('q', 'u')")).isEqualTo("0");
    assertThat(session.value("select count(*) from dibs.task")).isEqualTo("1");
    assertThat(db.finished("CANCELLED")).isEqualTo(2);
    assertThat(session.value("select distinct errors -> 0 ->> 'message' from dibs.task_history"))
        .isEqualTo("not wanted");
  }
}
