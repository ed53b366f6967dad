package dev.dibs.worker;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.dibs.Kind;
import dev.dibs.LeaseLostException;
import dev.dibs.NewTask;
import dev.dibs.Outcome;
import dev.dibs.SchemaVersionException;
import dev.dibs.producer.Producer;
import dev.dibs.testing.TestDatabase;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class WorkerTest {
  record Mail(int number) {}

  private static final Kind<Mail> MAIL = Kind.of("mail", Mail.class);

  private final TestDatabase db = TestDatabase.create();
  private final Producer producer = Producer.on(db.dataSource());
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final List<Worker> workers = Collections.synchronizedList(new ArrayList<>());

  @AfterEach
  void stopAll() {
    workers.forEach(worker -> worker.stop(Duration.ZERO));
    producer.close();
    db.close();
  }

  private Worker start(WorkerSettings settings, TaskHandler<Mail> handler) {
    Worker worker =
        Worker.on(db.dataSource())
            .queue("q", 8)
            .handle(MAIL, handler)
            .metrics(meters)
            .settings(settings)
            .start();
    workers.add(worker);
    return worker;
  }

  private Worker start(TaskHandler<Mail> handler) {
    return start(WorkerSettings.DEFAULT, handler);
  }

  private static NewTask<Mail> mail(int number) {
    return MAIL.task(new Mail(number)).queue("q");
  }

  private List<NewTask<Mail>> mails(int count) {
    List<NewTask<Mail>> mails = new ArrayList<>();
    for (int i = 0; i < count; i++) mails.add(mail(i));
    return mails;
  }

  private void awaitFinished(String status, long count) {
    await()
        .atMost(ofSeconds(20))
        .pollInterval(ofMillis(20))
        .until(() -> db.finished(status) == count);
  }

  private double refusals() {
    return meters.find("dibs.lease.lost").counters().stream().mapToDouble(c -> c.count()).sum();
  }

  @Test
  void worker_runsEveryTaskOnce() {
    Map<Integer, AtomicInteger> runs = new ConcurrentHashMap<>();
    producer.enqueue(mails(5_000));
    start((mail, task) -> {
      runs.computeIfAbsent(mail.number(), n -> new AtomicInteger()).incrementAndGet();
      return Outcome.done();
    });
    awaitFinished("SUCCEEDED", 5_000);
    assertThat(runs).hasSize(5_000);
    assertThat(runs.values()).allSatisfy(count -> assertThat(count).hasValue(1));
    assertThat(db.number("select count(*) from dibs.task")).isZero();
    await().atMost(ofSeconds(5)).until(() -> finishedByMeters() == 5_000);
  }

  @Test
  void worker_vacuumsTheLiveTableAfterManyTasks() {
    db.execute("alter table dibs.task set (autovacuum_enabled = off)"); // gets in no one's way
    producer.enqueue(mails(20_500));
    start((mail, task) -> Outcome.done());
    await()
        .atMost(ofSeconds(30))
        .until(() -> db.number("select pg_stat_get_vacuum_count('dibs.task'::regclass)") >= 1);
  }

  private double finishedByMeters() {
    return meters.find("dibs.tasks.finished").counters().stream().mapToDouble(c -> c.count()).sum();
  }

  @Test
  void worker_isWokenByABellLongBeforeItsPoll() {
    start(WorkerSettings.DEFAULT.withPollInterval(ofSeconds(50)), (mail, task) -> Outcome.done());
    for (int i = 0; i < 20; i++) {
      producer.enqueue(mail(i));
      awaitFinished("SUCCEEDED", i + 1);
    }
  }

  @Test
  void worker_findsTasksByPollingWhenNoBellRang() {
    start(WorkerSettings.DEFAULT.withPollInterval(ofMillis(200)), (mail, task) -> Outcome.done());
    db.execute(
        "insert into dibs.task (id, queue, kind, payload) select gen_random_uuid(), 'q', 'mail', '{\"number\": 1}'");
    awaitFinished("SUCCEEDED", 1);
  }

  @Test
  void worker_neverRunsMoreAtOnceThanTheQueueAllows() {
    var now = new AtomicInteger();
    var most = new AtomicInteger();
    producer.enqueue(mails(400));
    start((mail, task) -> {
      most.accumulateAndGet(now.incrementAndGet(), Math::max);
      Thread.onSpinWait();
      now.decrementAndGet();
      return Outcome.done();
    });
    awaitFinished("SUCCEEDED", 400);
    assertThat(most.get()).isBetween(1, 8);
  }

  @Test
  void slowHandlers_hoardNothing() throws InterruptedException {
    var release = new CountDownLatch(1);
    producer.enqueue(mails(100));
    start((mail, task) -> {
      release.await();
      return Outcome.done();
    });
    await().atMost(ofSeconds(10)).until(() -> db.tasks("PROCESSING") == 8);
    assertThat(db.tasks("PENDING")).isEqualTo(92);
    release.countDown();
    awaitFinished("SUCCEEDED", 100);
  }

  @Test
  void transaction_commitsTheWritesAndTheCompletionTogether() {
    db.execute("create table sent (number int)");
    producer.enqueue(mails(200));
    start((mail, task) -> {
      task.transaction(tx -> tx.execute("insert into sent values (?)", mail.number()));
      return Outcome.done();
    });
    awaitFinished("SUCCEEDED", 200);
    assertThat(db.number("select count(distinct number) from sent")).isEqualTo(200);
    assertThat(db.number("select count(*) from sent")).isEqualTo(200);
  }

  @Test
  void transaction_isRolledBackWhenTheLeaseWasLost() {
    db.execute("create table sent (number int)");
    var lost = new AtomicReference<Throwable>();
    producer.enqueue(mail(1));
    start((mail, task) -> {
      if (task.attempt() > 1) return Outcome.done();
      db.execute("update dibs.task set lease = gen_random_uuid()");
      try {
        task.transaction(tx -> tx.execute("insert into sent values (1)"));
      } catch (LeaseLostException e) {
        lost.set(e);
        throw e;
      }
      return Outcome.done();
    });
    await().atMost(ofSeconds(10)).until(() -> lost.get() != null);
    await().atMost(ofSeconds(10)).until(() -> refusals() == 1);
    assertThat(db.number("select count(*) from sent")).isZero();
    assertThat(db.tasks("PROCESSING")).isEqualTo(1);
  }

  @Test
  void transaction_thatThrowsIsRolledBackAndTheTaskFails() {
    db.execute("create table sent (number int)");
    producer.enqueue(mail(1).maxAttempts(1));
    start((mail, task) -> {
      task.transaction(tx -> {
        tx.execute("insert into sent values (1)");
        throw new IllegalStateException("no ink");
      });
      return Outcome.done();
    });
    awaitFinished("DEAD", 1);
    assertThat(db.number("select count(*) from sent")).isZero();
    assertThat(db.value("select errors -> 0 ->> 'message' from dibs.task_history"))
        .isEqualTo("no ink");
  }

  @Test
  void transaction_belongsToDibsAndCannotBeCommittedByAHandler() {
    var refused = new ConcurrentLinkedQueue<String>();
    producer.enqueue(mail(1));
    start((mail, task) -> {
      task.transaction(tx -> {
        for (ConnectionCall call :
            List.<ConnectionCall>of(
                Connection::commit,
                Connection::rollback,
                Connection::close,
                c -> c.setAutoCommit(true))) {
          try {
            call.on(tx.connection());
          } catch (IllegalStateException e) {
            refused.add(String.valueOf(e.getMessage()));
          }
        }
        tx.connection().rollback(tx.connection().setSavepoint());
      });
      return Outcome.done();
    });
    awaitFinished("SUCCEEDED", 1);
    assertThat(refused).hasSize(4);
  }

  private interface ConnectionCall {
    void on(Connection connection) throws SQLException;
  }

  @Test
  void transaction_enqueuesFollowUpsOnlyWhenItCommits() {
    producer.enqueue(mail(1));
    Queue<Integer> seen = new ConcurrentLinkedQueue<>();
    start((mail, task) -> {
      seen.add(mail.number());
      if (mail.number() == 1) {
        task.transaction(tx -> tx.enqueue(mail(2)));
      }
      return Outcome.done();
    });
    awaitFinished("SUCCEEDED", 2);
    assertThat(seen).containsExactly(1, 2);
  }

  @Test
  void failure_comesAgainAfterItsBackoffAndIsDeadInTheEnd() {
    producer.enqueue(mail(1).maxAttempts(2));
    start((mail, task) -> {
      throw new IllegalArgumentException("attempt " + task.attempt() + " \u0000 \ud800");
    });
    awaitFinished("DEAD", 1);
    assertThat(
            db.number(
                "select count(*) from dibs.task_history where attempt = 2 and run_at >= created_at + interval '900 ms' and claimed_at >= run_at"))
        .isEqualTo(1);
    assertThat(db.number("select jsonb_array_length(errors) from dibs.task_history")).isEqualTo(2);
    assertThat(db.value("select errors -> 1 ->> 'message' from dibs.task_history"))
        .isEqualTo("attempt 2 \ufffd \ufffd");
  }

  @Test
  void anErrorOfTenMegabytesIsCutAndKept() {
    producer.enqueue(mail(1).maxAttempts(1));
    start((mail, task) -> {
      throw new StackOverflowError("x".repeat(10 << 20));
    });
    awaitFinished("DEAD", 1);
    assertThat(db.number("select length(errors -> 0 ->> 'message') from dibs.task_history"))
        .isEqualTo(8193);
    assertThat(db.value("select errors -> 0 ->> 'class' from dibs.task_history"))
        .isEqualTo("java.lang.StackOverflowError");
  }

  @Test
  void snooze_comesAgainSoonAndBurnsNoAttempt() {
    producer.enqueue(mail(1).maxAttempts(1));
    start(
        WorkerSettings.DEFAULT.withPollInterval(ofSeconds(30)),
        (mail, task) -> task.attempt() < 5 ? Outcome.snooze(ofMillis(10)) : Outcome.done());
    await().atMost(ofSeconds(15)).until(() -> db.finished("SUCCEEDED") == 1);
    assertThat(db.number("select attempt from dibs.task_history")).isEqualTo(5);
    assertThat(db.number("select failures from dibs.task_history")).isZero();
  }

  @Test
  void cancelAndDead_endTheTask() {
    producer.enqueue(List.of(mail(1), mail(2)));
    start((mail, task) ->
        mail.number() == 1 ? Outcome.cancel("not wanted") : Outcome.dead("hopeless"));
    awaitFinished("CANCELLED", 1);
    awaitFinished("DEAD", 1);
  }

  @Test
  void delayedTask_runsWhenItIsDueAndNotBefore() {
    producer.enqueue(List.of(mail(1).delay(ofMillis(700)), mail(2)));
    start((mail, task) -> Outcome.done());
    awaitFinished("SUCCEEDED", 2);
    assertThat(
            db.number(
                "select count(*) from dibs.task_history where run_at = created_at + interval '700 ms'"))
        .isEqualTo(1);
    assertThat(db.number("select count(*) from dibs.task_history where claimed_at < run_at"))
        .isZero();
  }

  @Test
  void payloadThatDoesNotFit_failsItsTaskAlone() {
    db.execute(
        "insert into dibs.task (id, queue, kind, payload, max_attempts) values (gen_random_uuid(), 'q', 'mail', '\"x\"', 1)");
    producer.enqueue(mail(2));
    start((mail, task) -> Outcome.done());
    awaitFinished("SUCCEEDED", 1);
    awaitFinished("DEAD", 1);
  }

  @Test
  void unknownKinds_areLeftToOthers() {
    producer.enqueue(Kind.of("parcel", Mail.class).task(new Mail(1)).queue("q"));
    producer.enqueue(mail(2));
    start((mail, task) -> Outcome.done());
    awaitFinished("SUCCEEDED", 1);
    assertThat(db.tasks("PENDING")).isEqualTo(1);
    assertThat(db.number("select attempt from dibs.task")).isZero();
  }

  @Test
  void timeout_interruptsTheRunAndFailsIt() {
    producer.enqueue(mail(1).timeout(ofMillis(100)).maxAttempts(1));
    start((mail, task) -> {
      new CountDownLatch(1).await();
      return Outcome.done();
    });
    awaitFinished("DEAD", 1);
    assertThat(db.value("select errors -> 0 ->> 'message' from dibs.task_history"))
        .contains("timed out after PT0.1S");
  }

  @Test
  void stop_givesBackWhatWaitsAndFinishesWhatRuns() throws InterruptedException {
    var started = new CountDownLatch(8);
    var release = new CountDownLatch(1);
    producer.enqueue(mails(20));
    Worker worker =
        start((mail, task) -> {
          started.countDown();
          release.await();
          return Outcome.done();
        });
    assertThat(started.await(10, TimeUnit.SECONDS)).isTrue();
    Thread stopper = Thread.ofVirtual().start(() -> worker.stop(ofSeconds(20)));
    await().atMost(ofSeconds(5)).until(() -> !worker.isReady());
    release.countDown();
    stopper.join();
    assertThat(db.finished("SUCCEEDED")).isEqualTo(8);
    assertThat(db.tasks("PENDING")).isEqualTo(12);
    assertThat(db.number("select count(*) from dibs.worker")).isZero();
  }

  @Test
  void stop_interruptsWhatTakesTooLongAndBurnsNoAttempt() throws InterruptedException {
    var started = new CountDownLatch(1);
    producer.enqueue(mail(1).maxAttempts(1));
    Worker worker =
        start((mail, task) -> {
          started.countDown();
          new CountDownLatch(1).await();
          return Outcome.done();
        });
    assertThat(started.await(10, TimeUnit.SECONDS)).isTrue();
    worker.stop(ofMillis(50));
    assertThat(db.tasks("PENDING")).isEqualTo(1);
    assertThat(db.number("select failures + losses from dibs.task")).isZero();
  }

  /** One task ends in time, one when interrupted, one is deaf, and the rest waits. */
  @Test
  void stop_burnsNoAttemptInAnyOfItsPhases() throws InterruptedException {
    var started = new CountDownLatch(3);
    var drained = new CountDownLatch(1);
    var wayOut = new CountDownLatch(1);
    producer.enqueue(mails(6));
    Worker worker =
        Worker.on(db.dataSource())
            .queue("q", 3)
            .handle(
                MAIL,
                (mail, task) -> {
                  started.countDown();
                  if (mail.number() == 0) drained.await();
                  if (mail.number() == 0) return Outcome.snooze(ofMillis(1));
                  if (mail.number() == 1) new CountDownLatch(1).await();
                  while (wayOut.getCount() > 0) {
                    try {
                      wayOut.await();
                    } catch (InterruptedException e) {
                      // deaf on purpose
                    }
                  }
                  return Outcome.done();
                })
            .start();
    assertThat(started.await(10, TimeUnit.SECONDS)).isTrue();
    Thread stopper = Thread.ofVirtual().start(() -> worker.stop(ofMillis(300)));
    await().atMost(ofSeconds(5)).until(() -> !worker.isReady());
    drained.countDown();
    stopper.join();
    wayOut.countDown();
    assertThat(db.number("select count(*) from dibs.task where lease is null")).isEqualTo(6);
    assertThat(db.number("select sum(failures + losses) from dibs.task")).isZero();
    assertThat(db.number("select max(attempt) from dibs.task")).isEqualTo(1);
    assertThat(db.number("select count(*) from dibs.worker")).isZero();
  }

  @Test
  void aWorkerThatWasDeclaredDead_isRefusedAndRegistersAnew() throws InterruptedException {
    WorkerSettings quick = WorkerSettings.DEFAULT.withLease(ofSeconds(1));
    var release = new CountDownLatch(1);
    var interrupted = new AtomicInteger();
    producer.enqueue(mail(1));
    Worker worker =
        start(
            quick,
            (mail, task) -> {
              if (task.attempt() > 1) return Outcome.done();
              try {
                release.await();
              } catch (InterruptedException e) {
                interrupted.incrementAndGet();
              }
              return Outcome.done();
            });
    await().atMost(ofSeconds(10)).until(() -> db.tasks("PROCESSING") == 1);
    UUID before = worker.id();
    db.execute("update dibs.worker set status = 'DEAD'");
    await().atMost(ofSeconds(10)).until(() -> !worker.id().equals(before));
    awaitFinished("SUCCEEDED", 1);
    assertThat(interrupted).hasValue(1);
    assertThat(db.number("select count(*) from dibs.task")).isZero();
  }

  @Test
  void tasksOfADeadWorker_runAgainElsewhere() {
    WorkerSettings quick = WorkerSettings.DEFAULT.withLease(ofSeconds(1));
    UUID dead = UUID.randomUUID();
    producer.enqueue(mails(3));
    db.execute(
        "insert into dibs.worker (id, host, pid, version, queues, kinds, concurrency, lease_until)"
            + " values (?, 'gone', 1, 'x', '{q}', '{mail}', 8, now() - interval '1 hour')",
        dead);
    db.execute(
        "update dibs.task set status = 'PROCESSING', attempt = 1, lease = gen_random_uuid(), worker_id = ?",
        dead);
    Set<Integer> attempts = ConcurrentHashMap.newKeySet();
    start(
        quick,
        (mail, task) -> {
          attempts.add(task.attempt());
          return Outcome.done();
        });
    awaitFinished("SUCCEEDED", 3);
    assertThat(attempts).containsExactly(2);
    assertThat(db.number("select sum(losses) from dibs.task_history")).isEqualTo(3);
    await().atMost(ofSeconds(5)).until(() -> db.number("select count(*) from dibs.worker") == 1);
  }

  @Test
  void databaseConnectionsCut_areReplacedAndNoTaskIsLost() {
    producer.enqueue(mails(2_000));
    Map<Integer, Integer> done = new ConcurrentHashMap<>();
    start((mail, task) -> {
      done.merge(mail.number(), 1, Integer::sum);
      return Outcome.done();
    });
    for (int cut = 0; cut < 10; cut++) {
      db.execute(
          "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");
      long finished = db.finished("SUCCEEDED");
      await()
          .atMost(ofSeconds(10))
          .until(() -> db.finished("SUCCEEDED") > finished || db.finished("SUCCEEDED") == 2_000);
    }
    awaitFinished("SUCCEEDED", 2_000);
    assertThat(done).hasSize(2_000);
  }

  @Test
  void tasksOnTheirLastLoss_runOneAtATimeAndAllEnd() {
    producer.enqueue(mails(20));
    db.execute("update dibs.task set losses = 2");
    producer.enqueue(mails(20));
    var now = new AtomicInteger();
    var most = new AtomicInteger();
    start((mail, task) -> {
      if (task.losses() == 0) return Outcome.done();
      most.accumulateAndGet(now.incrementAndGet(), Math::max);
      now.decrementAndGet();
      return Outcome.done();
    });
    awaitFinished("SUCCEEDED", 40);
    assertThat(most).hasValue(1);
    assertThat(db.number("select sum(losses) + sum(failures) from dibs.task_history"))
        .isEqualTo(40);
  }

  @Test
  void largePayloads_comeInClaimsThatFitTheMemory() {
    var large = "x".repeat(200_000);
    db.execute(
        "insert into dibs.task (id, queue, kind, payload) select gen_random_uuid(), 'q', 'mail',"
            + " jsonb_build_object('number', n, 'pad', ?) from generate_series(1, 300) n",
        large);
    start((mail, task) -> Outcome.done());
    awaitFinished("SUCCEEDED", 300);
    double largest = meters.get("dibs.claim.batch").summary().max();
    assertThat(largest).isBetween(1.0, 300.0).isLessThan(150);
  }

  @Test
  void start_refusesADatabaseWithoutSchema() {
    try (TestDatabase empty = TestDatabase.createEmpty()) {
      assertThatThrownBy(() ->
              Worker.on(empty.dataSource())
                  .queue("q", 1)
                  .handle(MAIL, (mail, task) -> Outcome.done())
                  .start())
          .isInstanceOf(SchemaVersionException.class)
          .hasMessageContaining("dibs migrate");
    }
  }
}
