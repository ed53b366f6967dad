package dev.dibs.operations;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.dibs.DatabaseException;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.Outcome;
import dev.dibs.SchemaVersionException;
import dev.dibs.operations.Explanation.Effect;
import dev.dibs.operations.Explanation.Reason;
import dev.dibs.producer.Producer;
import dev.dibs.testing.TestDatabase;
import dev.dibs.testing.TestRoles;
import dev.dibs.worker.Worker;
import dev.dibs.worker.WorkerSettings;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What real workers do to a task, explained; and what happens when the database cannot say it. */
@Timeout(60)
class ExplainerTest {
  record Mail(int number) {}

  private static final Kind<Mail> MAIL = Kind.of("mail", Mail.class);

  private final TestDatabase db = TestDatabase.create();
  private final Producer producer = Producer.on(db.dataSource());
  private final Explainer explainer = Explainer.on(db.dataSource());

  @AfterEach
  void drop() {
    producer.close();
    db.close();
  }

  private UUID enqueued(NewTask<Mail> task) {
    NewTask<Mail> inQueue = task.queue("q");
    producer.enqueue(inQueue);
    return inQueue.id();
  }

  private static Reason reason(Explanation explanation, String code) {
    return explanation.reasons().stream()
        .filter(reason -> reason.code().equals(code))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no " + code + " in " + explanation));
  }

  private Worker worker(Kind<Mail> kind, dev.dibs.worker.TaskHandler<Mail> handler) {
    return Worker.on(db.dataSource())
        .queue("q", 1)
        .handle(kind, handler)
        .settings(WorkerSettings.DEFAULT.withDrainTimeout(Duration.ZERO))
        .start();
  }

  @Test
  void workersOfAnotherKind_doNotKnowIt() throws Exception {
    UUID id = enqueued(MAIL.task(new Mail(1)));
    assertThat(explainer.explain(id).blocking())
        .extracting(Reason::code)
        .containsExactly("no-worker");
    try (Worker other = worker(Kind.of("print", Mail.class), (mail, task) -> Outcome.done())) {
      assertThat(other.health().draining()).isFalse();
      Explanation explanation = explainer.explain(id);
      assertThat(explanation.blocking()).extracting(Reason::code).containsExactly("kind-unknown");
      assertThat(reason(explanation, "kind-unknown").cure()).contains("deploy a worker");
    }
  }

  @Test
  void aRunningTask_isHeldAndTheNextWaitsForASlot() throws Exception {
    var started = new CountDownLatch(1);
    var end = new CountDownLatch(1);
    UUID first = enqueued(MAIL.task(new Mail(1)));
    try (Worker worker =
        worker(
            MAIL,
            (mail, task) -> {
              started.countDown();
              end.await();
              return Outcome.done();
            })) {
      started.await();
      Explanation held = explainer.explain(first);
      Reason reason = reason(held, "held");
      assertThat(held.blocking()).isEmpty();
      assertThat(reason.effect()).isEqualTo(Effect.FULFILLED);
      assertThat(reason.sentence()).contains("runs for", "pid " + ProcessHandle.current().pid());
      assertThat(reason.until().orElseThrow()).isAfter(held.at());

      UUID second = enqueued(MAIL.task(new Mail(2)));
      assertThat(reason(explainer.explain(second), "workers-full").sentence())
          .contains("they hold", "and run 1 at a time");
      end.countDown();
      await().atMost(ofSeconds(20)).until(() -> db.finished("SUCCEEDED") == 2);
      assertThat(reason(explainer.explain(second), "finished").sentence()).startsWith("SUCCEEDED");
      assertThat(worker.health().draining()).isFalse();
    }
  }

  @Test
  void aFailedAttempt_isToldWithItsErrorAndWhenItComesAgain() throws Exception {
    UUID id = enqueued(MAIL.task(new Mail(1)));
    // Else it might have come again before it is looked at.
    db.execute(
        "create function later() returns trigger language plpgsql as $$ begin new.run_at := now() + interval '1 hour'; return new; end $$");
    db.execute(
        "create trigger later before update on dibs.task for each row"
            + " when (old.status = 'PROCESSING' and new.status = 'SCHEDULED') execute function later()");
    try (Worker worker =
        worker(
            MAIL,
            (mail, task) -> {
              throw new IllegalStateException("no route to host");
            })) {
      await().atMost(ofSeconds(20)).until(() -> db.tasks("SCHEDULED") == 1);
      Explanation explanation = explainer.explain(id);
      Reason retry = reason(explanation, "retry");
      assertThat(retry.sentence())
          .isEqualTo("retry 1 of 24 after java.lang.IllegalStateException: no route to host");
      assertThat(retry.until().orElseThrow()).isAfter(Instant.now());
      assertThat(explanation.blocking()).extracting(Reason::code).containsExactly("not-due");
      assertThat(worker.health().draining()).isFalse();
    }
  }

  @Test
  void aDrainingWorker_takesNoMore() throws Exception {
    var started = new CountDownLatch(1);
    var end = new CountDownLatch(1);
    enqueued(MAIL.task(new Mail(1)));
    Worker worker =
        Worker.on(db.dataSource())
            .queue("q", 1)
            .handle(
                MAIL,
                (mail, task) -> {
                  started.countDown();
                  end.await();
                  return Outcome.done();
                })
            .start();
    started.await();
    Thread stopping = Thread.ofPlatform().start(() -> worker.stop(ofSeconds(30)));
    try {
      UUID id = enqueued(MAIL.task(new Mail(2)));
      await()
          .atMost(ofSeconds(20))
          .untilAsserted(() ->
              assertThat(explainer.explain(id).blocking())
                  .extracting(Reason::code)
                  .contains("workers-draining"));
    } finally {
      end.countDown();
      stopping.join();
    }
  }

  @Test
  void aPartThatIsLockedAway_isUnknownAndTheOthersAreAnswered() throws SQLException {
    UUID id = enqueued(MAIL.task(new Mail(1)));
    try (Connection other = db.connect()) {
      other.setAutoCommit(false);
      other.createStatement().execute("lock table dibs.worker in access exclusive mode");
      Explanation explanation = explainer.explain(id);
      Reason unknown = reason(explanation, "not-checked");
      assertThat(unknown.effect()).isEqualTo(Effect.UNKNOWN);
      assertThat(unknown.sentence())
          .isEqualTo(
              "could not check whether a worker could take it: somebody holds a lock on the table");
      assertThat(explanation.reasons())
          .extracting(Reason::code)
          .containsExactly("due", "queue-active", "kind-active", "not-checked", "next");
      other.rollback();
    }
  }

  @Test
  void aPartThatTakesLong_isUnknown() {
    UUID id = enqueued(MAIL.task(new Mail(1)));
    db.execute(
        "create or replace function dibs.explain_lane(t dibs.task) returns table (code text, effect text, sentence text,"
            + " since timestamptz, until timestamptz, details jsonb) language sql stable as"
            + " $$ select '', '', pg_sleep(60)::text, null::timestamptz, null::timestamptz, null::jsonb $$");
    assertThat(explainer.explain(id).reasons().getLast().sentence())
        .isEqualTo("could not check how many are before it: it took too long");
  }

  @Test
  void anIdThatIsNotKnown_isExplainedToo() {
    Explanation explanation = explainer.explain(new UUID(1, 2));
    assertThat(explanation.isKnown()).isFalse();
    assertThat(explanation.reasons()).hasSize(1);
    assertThat(explanation.reasons().getFirst().cure()).contains("producer's log");
  }

  @Test
  void everyoneWhoMayLook_mayAsk() throws SQLException {
    try (TestRoles roles = new TestRoles()) {
      for (String role : new String[] {"viewer", "operator", "worker"}) {
        var asked = Explainer.on(roles.user(role), roles.schema()).explain(new UUID(1, 2));
        assertThat(asked.isKnown()).as(role).isFalse();
      }
      assertThatThrownBy(
              () -> Explainer.on(roles.user("producer"), roles.schema()).explain(new UUID(1, 2)))
          .isInstanceOf(DatabaseException.class)
          .hasMessageContaining("permission denied for function explain");
    }
  }

  @Test
  void aDatabaseWithoutTheSchema_isRefused() {
    try (TestDatabase empty = TestDatabase.createEmpty()) {
      assertThatThrownBy(() -> Explainer.on(empty.dataSource()).explain(new UUID(1, 2)))
          .isInstanceOf(SchemaVersionException.class)
          .hasMessageContaining("dibs migrate");
    }
  }

  /** Each code that the function gives, but those where nothing is to be done, has a cure here. */
  @Test
  void everyReasonThatKeepsATaskFromRunning_hasACure() {
    assertThat(
            Stream.of(
                "not-due,not-promoted,blocked,queue-paused,kind-paused,no-worker,kind-unknown,workers-draining,workers-full,behind,held-silent,held-by-nobody,timed-out,retry,losses,quarantined,dead,never-heard-of,not-checked"
                    .split(",")))
        .allSatisfy(code -> {
          assertThat(Cures.of(code)).isNotEmpty();
          boolean isGiven =
              code.equals("not-checked")
                  || "t"
                      .equals(
                          db.value(
                              "select bool_or(prosrc like '%''' || ? || '''%') from pg_proc where proname like 'explain%'",
                              code));
          assertThat(isGiven).as(code).isTrue();
        });
  }
}
