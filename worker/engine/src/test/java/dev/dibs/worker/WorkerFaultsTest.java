package dev.dibs.worker;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.Outcome;
import dev.dibs.producer.Producer;
import dev.dibs.testing.TestDatabase;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What goes wrong around a worker must not leave a task in the hands of nobody. */
@Timeout(60)
class WorkerFaultsTest {
  record Mail(int number) {}

  private static final Kind<Mail> MAIL = Kind.of("mail", Mail.class);
  private static final WorkerSettings QUICK = WorkerSettings.DEFAULT.withLease(ofSeconds(1));
  private static final WorkerSettings NO_POLL =
      WorkerSettings.DEFAULT.withPollInterval(ofSeconds(50));

  private final TestDatabase db = TestDatabase.create();
  private final FaultyDataSource faulty = new FaultyDataSource(db.url());
  private final Producer producer = Producer.on(db.dataSource());
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final List<Worker> workers = new ArrayList<>();

  @AfterEach
  void stopAll() {
    workers.forEach(worker -> worker.stop(Duration.ZERO));
    producer.close();
    db.close();
  }

  private Worker start(
      DataSource dataSource,
      WorkerSettings settings,
      MeterRegistry registry,
      TaskHandler<Mail> handler) {
    Worker worker =
        Worker.on(dataSource)
            .transactions(db.dataSource())
            .queue("q", 8)
            .queue("other", 8)
            .handle(MAIL, handler)
            .metrics(registry)
            .settings(settings)
            .start();
    workers.add(worker);
    return worker;
  }

  private Worker start(WorkerSettings settings, TaskHandler<Mail> handler) {
    return start(db.dataSource(), settings, meters, handler);
  }

  private static NewTask<Mail> mail(int number) {
    return MAIL.task(new Mail(number)).queue("q");
  }

  private void awaitFinished(String status, long count) {
    await()
        .atMost(ofSeconds(20))
        .pollInterval(ofMillis(20))
        .until(() -> db.finished(status) == count);
  }

  @Test
  void anExceptionThatCannotEvenTellItsMessage_failsItsTask() {
    producer.enqueue(mail(1).maxAttempts(1));
    start(
        WorkerSettings.DEFAULT,
        (mail, task) -> {
          throw new RuntimeException() {
            @Override
            public String getMessage() {
              throw new IllegalStateException("no message");
            }
          };
        });
    awaitFinished("DEAD", 1);
  }

  @Test
  void tasksWhoseOutcomesAFailoverLost_runAgain() throws Exception {
    var started = new java.util.concurrent.LinkedBlockingQueue<Integer>();
    var end = new CountDownLatch(1);
    Worker worker =
        start(
            WorkerSettings.DEFAULT.withLease(ofSeconds(2)), // no fence may give it back
            (mail, task) -> {
              started.add(mail.number());
              if (mail.number() == 1) end.await();
              return Outcome.done();
            });
    producer.enqueue(mail(1));
    assertThat(started.poll(10, TimeUnit.SECONDS)).isEqualTo(1);
    // As after a promotion of a standby to which the outcome of this task had not come yet.
    db.execute(
        "insert into dibs.task (id, queue, kind, payload, status, attempt, lease, worker_id)"
            + " values (gen_random_uuid(), 'q', 'mail', '{\"number\": 2}', 'PROCESSING', 1,"
            + " gen_random_uuid(), '"
            + worker.id()
            + "')");

    assertThat(started.poll(40, TimeUnit.SECONDS)).isEqualTo(2);
    awaitFinished("SUCCEEDED", 1);
    assertThat(db.number("select attempt from dibs.task_history")).isEqualTo(2);
    assertThat(db.number("select losses from dibs.task_history")).isZero();

    end.countDown();
    awaitFinished("SUCCEEDED", 2);
    assertThat(started).isEmpty(); // the one that ran all the while was left alone
  }

  @Test
  void aMeterRegistryThatThrows_costsNoTask() {
    var broken = new SimpleMeterRegistry();
    broken
        .config()
        .meterFilter(
            new MeterFilter() {
              @Override
              public Meter.Id map(Meter.Id id) {
                if (id.getName().startsWith("dibs.task"))
                  throw new IllegalStateException("no meters today");
                return id;
              }
            });
    for (int i = 0; i < 50; i++) producer.enqueue(mail(i));
    Worker worker =
        start(db.dataSource(), WorkerSettings.DEFAULT, broken, (mail, task) -> Outcome.done());
    awaitFinished("SUCCEEDED", 50);
    worker.stop(Duration.ZERO);
    assertThat(db.number("select max(attempt) from dibs.task_history")).isEqualTo(1);
    assertThat(db.number("select count(*) from dibs.worker")).isZero();
  }

  @Test
  void aClaimWhoseAnswerFilledTheMemory_isFoundAndRun() {
    for (int i = 0; i < 3; i++) producer.enqueue(mail(i));
    faulty.loseAnswers(new OutOfMemoryError("simulated"));
    start(faulty, QUICK, meters, (mail, task) -> Outcome.done());
    awaitFinished("SUCCEEDED", 3);
  }

  @Test
  void aClaimWhoseAnswerTheDriverGaveUp_isFoundAndRun() {
    for (int i = 0; i < 3; i++) producer.enqueue(mail(i));
    faulty.loseAnswers(new SQLException("an answer that cannot be read", "22003"));
    start(faulty, QUICK.withLease(ofSeconds(3)), meters, (mail, task) -> Outcome.done());
    awaitFinished("SUCCEEDED", 3);
    assertThat(db.number("select max(attempt) from dibs.task_history")).isEqualTo(1);
  }

  @Test
  void aRetryWhoseAnswerWasLost_isCountedAsARetryAndNotAsRefused() {
    var broken = new SQLException("the answer is lost", "08006");
    producer.enqueue(mail(1));
    try (var log = new LogCapture()) {
      start(
          faulty,
          NO_POLL,
          meters,
          (mail, task) -> {
            if (task.attempt() > 1) return Outcome.done();
            faulty.loseAnswers(broken);
            return Outcome.retry(ofMillis(1), "not yet");
          });
      awaitFinished("SUCCEEDED", 1);
      await().atMost(ofSeconds(10)).until(() -> finished("retried") == 1);
      assertThat(finished("succeeded")).isEqualTo(1);
      assertThat(meters.get("dibs.lease.lost").counter().count()).isZero();
      assertThat(log.with("was refused")).isEmpty();
    }
    assertThat(db.number("select failures from dibs.task_history")).isEqualTo(1);
  }

  private double finished(String outcome) {
    return meters.find("dibs.tasks.finished").tag("outcome", outcome).counters().stream()
        .mapToDouble(c -> c.count())
        .sum();
  }

  @Test
  void anOutcomeWhoseConnectionBreaksOnItsSecondTry_keepsItsError() {
    outcomeKeepsItsErrorWhenRefusedBy("XX000", "08006");
  }

  @Test
  void anOutcomeThatWaitedTooLongForALock_keepsItsError() {
    outcomeKeepsItsErrorWhenRefusedBy("57014", "57014");
  }

  private void outcomeKeepsItsErrorWhenRefusedBy(String together, String apart) {
    faulty.refuseEndings(new SQLException("first", together), new SQLException("second", apart));
    producer.enqueue(mail(1));
    start(faulty, NO_POLL, meters, (mail, task) -> Outcome.dead("no ink"));
    awaitFinished("DEAD", 1);
    assertThat(faulty.haveAllFailed()).isTrue();
    assertThat(db.value("select errors -> 0 ->> 'message' from dibs.task_history"))
        .isEqualTo("no ink");
  }

  @Test
  void aFullDisk_isWaitedForAndNotTriedRowByRow() {
    for (int i = 0; i < 8; i++) producer.enqueue(mail(i));
    var full = new SQLException("could not extend file: No space left on device", "53100");
    faulty.refuseEndings(full, full);
    var all = new CountDownLatch(8);
    start(
        faulty,
        NO_POLL,
        meters,
        (mail, task) -> {
          all.countDown();
          all.await();
          return Outcome.done();
        });
    awaitFinished("SUCCEEDED", 8);
    // A link was given up, as in any outage.
    await().atMost(ofSeconds(10)).until(() -> faulty.opened() > 2 + 5);
  }

  /** Somebody holds an ACCESS EXCLUSIVE lock. */
  @Test
  void aTableThatIsLocked_isWaitedForWithoutALineForEveryTask() throws Exception {
    for (int i = 0; i < 16; i++) producer.enqueue(mail(i));
    var running = new CountDownLatch(8);
    var go = new CountDownLatch(1);
    start(
        NO_POLL,
        (mail, task) -> {
          running.countDown();
          go.await();
          return Outcome.done();
        });
    try (var log = new LogCapture();
        Connection operator = db.connect();
        var statement = operator.createStatement()) {
      running.await();
      operator.setAutoCommit(false);
      statement.execute("lock table dibs.task_history in access exclusive mode");
      go.countDown();
      await()
          .atMost(ofSeconds(20))
          .until(() -> log.with("cannot be written").size() + log.with("failed").size() > 1);
      await().during(ofSeconds(2)).atMost(ofSeconds(15)).until(() -> log.with("").size() < 8);
      operator.rollback();
    }
    awaitFinished("SUCCEEDED", 16);
    assertThat(db.number("select sum(failures + losses) from dibs.task_history")).isZero();
  }

  @Test
  void aServerWithoutAFreeConnection_isWaitedFor() {
    var full = new SQLException("sorry, too many clients already", "53300");
    faulty.refuseEndings(full, full, full);
    producer.enqueue(mail(1));
    try (var log = new LogCapture()) {
      start(faulty, NO_POLL, meters, (mail, task) -> Outcome.done());
      awaitFinished("SUCCEEDED", 1);
      assertThat(log.with("too many clients")).hasSizeLessThanOrEqualTo(1);
    }
  }

  @Test
  void aRunThatIsOver_isForgottenThoughItsTimeoutLiesAhead() {
    for (int i = 0; i < 20; i++) producer.enqueue(mail(i).timeout(Duration.ofDays(1)));
    Worker worker = start(WorkerSettings.DEFAULT, (mail, task) -> Outcome.done());
    awaitFinished("SUCCEEDED", 20);
    await().atMost(ofSeconds(5)).until(() -> worker.timeoutsAhead() == 0);
  }

  @Test
  void promotionsThatFail_doNotKeepTheTasksOfTheDead() {
    UUID dead = UUID.randomUUID();
    db.execute(
        "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'not now'; end $$");
    db.execute(
        "create trigger refuse before update on dibs.task for each row when (old.status = 'SCHEDULED') execute function refuse()");
    producer.enqueue(mail(1).delay(ofMillis(1)));
    producer.enqueue(mail(2));
    db.execute(
        "insert into dibs.worker (id, host, pid, version, queues, kinds, concurrency, lease_until)"
            + " values (?, 'gone', 1, 'x', '{q}', '{mail}', 8, now() - interval '1 hour')",
        dead);
    db.execute(
        "update dibs.task set status = 'PROCESSING', attempt = 1, lease = gen_random_uuid(), worker_id = ? where status = 'PENDING'",
        dead);
    start(QUICK.withPollInterval(ofMillis(100)), (mail, task) -> Outcome.done());
    awaitFinished("SUCCEEDED", 1);
  }

  /** The next look is far away where nothing rings, so the task is there before the first. */
  @Test
  void aPromotionThatFailed_isTriedAgainSoon() {
    db.execute(
        "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'not now'; end $$");
    db.execute(
        "create trigger refuse before update on dibs.task for each row when (old.status = 'SCHEDULED') execute function refuse()");
    try (var log = new LogCapture()) {
      producer.enqueue(mail(1).delay(ofMillis(200)));
      start(NO_POLL, (mail, task) -> Outcome.done());
      await().atMost(ofSeconds(10)).until(() -> !log.with("not now").isEmpty());
    }
    db.execute("drop trigger refuse on dibs.task");
    await().atMost(ofSeconds(8)).until(() -> db.finished("SUCCEEDED") == 1);
  }

  @Test
  void tasksWithoutAWorkerRow_areAllRescuedAtOnce() {
    db.execute(
        "insert into dibs.task (id, queue, kind, payload, status, attempt, lease, worker_id)"
            + " select gen_random_uuid(), 'q', 'mail', '{\"number\": 1}', 'PROCESSING', 1, gen_random_uuid(), gen_random_uuid()"
            + " from generate_series(1, 1200)");
    start(WorkerSettings.DEFAULT, (mail, task) -> Outcome.done());
    awaitFinished("SUCCEEDED", 1200);
  }

  @Test
  void beatsThatWaitForALock_doNotPileUpInTheServer() throws SQLException {
    start(QUICK, (mail, task) -> Outcome.done());
    Set<String> beats = new HashSet<>();
    try (Connection operator = db.connect();
        var statement = operator.createStatement()) {
      operator.setAutoCommit(false);
      statement.execute("select from dibs.worker for update");
      await()
          .atMost(ofSeconds(30))
          .until(() -> {
            List<String> waiting = beatsThatWait();
            assertThat(waiting).hasSizeLessThanOrEqualTo(2);
            beats.addAll(waiting);
            return beats.size() >= 8;
          });
    }
  }

  /** When those statements began that now wait for a lock. */
  private List<String> beatsThatWait() {
    String begun =
        db.value(
            "select string_agg(query_start::text, ',') from pg_stat_activity"
                + " where datname = current_database() and wait_event_type = 'Lock'");
    return begun == null ? List.of() : List.of(begun.split(","));
  }

  @Test
  void oneTaskPutIntoTwoQueues_isTwoTasks() {
    var secondMayEnd = new CountDownLatch(1);
    NewTask<Mail> task = MAIL.task(new Mail(1)).maxAttempts(1);
    producer.enqueue(List.of(task.queue("q"), task.queue("other")));
    start(
        WorkerSettings.DEFAULT,
        (mail, run) -> {
          if (run.queue().equals("q")) return Outcome.done();
          secondMayEnd.await();
          return Outcome.dead("no ink");
        });
    await().atMost(ofSeconds(10)).until(() -> db.finished("SUCCEEDED") > 0);
    secondMayEnd.countDown();
    awaitFinished("DEAD", 1);
    assertThat(db.finished("SUCCEEDED")).isEqualTo(1);
  }

  @Test
  void stopThatIsInterrupted_leavesNoThreadAndInterruptsTheHandlers() throws Exception {
    var started = new CountDownLatch(1);
    var interrupted = new AtomicBoolean();
    producer.enqueue(mail(1));
    Worker worker =
        start(
            WorkerSettings.DEFAULT,
            (mail, task) -> {
              started.countDown();
              try {
                new CountDownLatch(1).await();
              } catch (InterruptedException e) {
                interrupted.set(true);
                throw e;
              }
              return Outcome.done();
            });
    assertThat(started.await(10, TimeUnit.SECONDS)).isTrue();
    Thread stopper = Thread.ofPlatform().start(() -> worker.stop(ofSeconds(50)));
    await().atMost(ofSeconds(5)).until(() -> !worker.isReady());
    stopper.interrupt();
    stopper.join();
    assertThat(worker.isLive()).isFalse();
    await().atMost(ofSeconds(5)).untilTrue(interrupted);
    await().atMost(ofSeconds(5)).until(() -> engineThreads() == 0);
  }

  private static long engineThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("dibs-exchange"))
        .count();
  }

  @Test
  void concurrencyBeyondAllReason_isRefused() {
    assertThatThrownBy(() -> Worker.on(db.dataSource()).queue("q", Integer.MAX_VALUE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("2147483647");
  }
}
