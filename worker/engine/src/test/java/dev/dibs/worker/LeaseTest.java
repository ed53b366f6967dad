package dev.dibs.worker;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.Outcome;
import dev.dibs.producer.Producer;
import dev.dibs.testing.TestDatabase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a process may believe about the tasks it holds, and for how long. */
@Timeout(60)
class LeaseTest {
  record Mail(int number) {}

  private static final Kind<Mail> MAIL = Kind.of("mail", Mail.class);
  private static final WorkerSettings QUICK = WorkerSettings.DEFAULT.withLease(ofMillis(500));

  /** Where nothing but what the test does may make a worker fence itself. */
  private static final WorkerSettings CALM = WorkerSettings.DEFAULT.withLease(ofSeconds(2));

  private final TestDatabase db = TestDatabase.create();
  private final Producer producer = Producer.on(db.dataSource());
  private final List<Worker> workers = new ArrayList<>();
  private final AtomicInteger starts = new AtomicInteger();

  @AfterEach
  void stopAll() {
    workers.forEach(worker -> worker.stop(Duration.ZERO));
    producer.close();
    db.close();
  }

  private Worker start(TaskHandler<Mail> handler) {
    return start(QUICK, handler);
  }

  private Worker start(WorkerSettings settings, TaskHandler<Mail> handler) {
    Worker worker =
        Worker.on(db.dataSource())
            .queue("q", 8)
            .handle(
                MAIL,
                (mail, task) -> {
                  starts.incrementAndGet();
                  return handler.handle(mail, task);
                })
            .settings(settings)
            .start();
    workers.add(worker);
    return worker;
  }

  private static NewTask<Mail> mail() {
    return MAIL.task(new Mail(1)).queue("q");
  }

  private void awaitBeats(long beats) {
    long before = db.number("select coalesce(max(beat), 0) from dibs.worker");
    await()
        .atMost(ofSeconds(20))
        .until(() -> db.number("select max(beat) from dibs.worker") >= before + beats);
  }

  /** Also while its worker drains: shutting down must not stop the beats first. */
  @Test
  void aHandlerThatLastsForManyLeases_isStartedOnce() throws InterruptedException {
    var release = new CountDownLatch(1);
    producer.enqueue(mail());
    TaskHandler<Mail> slow =
        (mail, task) -> {
          release.await();
          return Outcome.done();
        };
    Worker worker = start(CALM, slow);
    await().atMost(ofSeconds(10)).until(() -> starts.get() == 1);
    start(CALM, slow);
    awaitBeats(15);
    Thread stopper = Thread.ofVirtual().start(() -> worker.stop(ofSeconds(30)));
    await().atMost(ofSeconds(5)).until(() -> !worker.isReady());
    awaitBeats(15);
    release.countDown();
    stopper.join();
    await().atMost(ofSeconds(10)).until(() -> db.finished("SUCCEEDED") == 1);
    assertThat(starts).hasValue(1);
    assertThat(db.number("select attempt + losses from dibs.task_history")).isEqualTo(1);
  }

  @Test
  void aWorkerWhoseRowWasDeleted_registersAnewAndItsTaskRunsAgain() {
    producer.enqueue(mail());
    Worker worker =
        start((mail, task) -> {
          if (task.attempt() == 1) new CountDownLatch(1).await();
          return Outcome.done();
        });
    await().atMost(ofSeconds(10)).until(() -> starts.get() == 1);
    UUID before = worker.id();
    db.execute("delete from dibs.worker");
    db.execute("update dibs.duty set next_run_at = now() where name = 'orphans'");
    await().atMost(ofSeconds(50)).until(() -> db.finished("SUCCEEDED") == 1);
    await().atMost(ofSeconds(10)).until(() -> !worker.id().equals(before) && worker.isReady());
  }

  @Test
  void aWorkerWhoseBeatsFailForLong_fencesItselfSaysItOnceAndComesBack() throws Exception {
    var interrupted = new CountDownLatch(1);
    producer.enqueue(mail());
    try (var log = new LogCapture()) {
      Worker worker =
          start(
              CALM,
              (mail, task) -> {
                if (task.attempt() > 1) return Outcome.done();
                try {
                  new CountDownLatch(1).await();
                } catch (InterruptedException e) {
                  interrupted.countDown();
                }
                return Outcome.done();
              });
      await().atMost(ofSeconds(10)).until(() -> starts.get() == 1);
      UUID before = worker.id();
      db.execute(
          "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no beats'; end $$");
      db.execute(
          "create trigger refuse before update on dibs.worker for each row execute function refuse()");
      assertThat(interrupted.await(20, TimeUnit.SECONDS)).isTrue();
      assertThat(worker.isReady()).isFalse();
      db.execute("drop trigger refuse on dibs.worker");
      await().atMost(ofSeconds(20)).until(worker::isReady);
      assertThat(worker.id()).isNotEqualTo(before);
      assertThat(log.with("no beat of worker")).hasSize(1);
      await().atMost(ofSeconds(20)).until(() -> db.finished("SUCCEEDED") == 1);
    }
  }

  /** Beats come from a thread of their own, so not even handlers that never block hold them up. */
  @Test
  void handlersThatKeepEveryProcessorBusy_loseNoTask() {
    var mayEnd = new AtomicBoolean();
    TaskHandler<Mail> spinning =
        (mail, task) -> {
          while (!mayEnd.get()) Thread.onSpinWait();
          return Outcome.done();
        };
    for (int i = 0; i < 8; i++) producer.enqueue(mail());
    try {
      start(CALM, spinning);
      start(CALM, spinning);
      awaitBeats(12);
    } finally {
      mayEnd.set(true);
    }
    await().atMost(ofSeconds(20)).until(() -> db.finished("SUCCEEDED") == 8);
    assertThat(starts).hasValue(8);
    assertThat(db.number("select sum(failures + losses) from dibs.task_history")).isZero();
  }

  @Test
  void aTaskOfAKindThatItsRescuerDoesNotKnow_isGivenBackUnharmed() {
    producer.enqueue(Kind.json("elsewhere").task(new Json("{}")).queue("q").maxAttempts(1));
    hold("gen_random_uuid()");
    start((mail, task) -> Outcome.done());
    await().atMost(ofSeconds(20)).until(() -> db.tasks("PENDING") == 1);
    assertThat(
            db.value(
                "select concat_ws(' ', attempt, failures, losses, max_attempts) from dibs.task"))
        .isEqualTo("1 0 1 1");
  }

  @Test
  void aRescueThatFailsHalfWay_isTakenUpAgain() {
    List<NewTask<Mail>> many = new ArrayList<>();
    for (int i = 0; i < 1_200; i++) many.add(mail());
    producer.enqueue(many);
    db.execute(
        "insert into dibs.worker (id, host, pid, version, queues, kinds, concurrency, status, lease_until)"
            + " values (gen_random_uuid(), 'gone', 1, 'x', '{q}', '{mail}', 8, 'DEAD', now())");
    hold("(select id from dibs.worker)");
    db.execute("create sequence rescued");
    db.execute(
        "create function fail_once() returns trigger language plpgsql as $$ begin"
            + " if nextval('public.rescued') = 700 then raise exception 'half way'; end if; return new; end $$");
    db.execute(
        "create trigger fail_once before update on dibs.task for each row"
            + " when (old.status = 'PROCESSING' and new.status = 'PENDING') execute function fail_once()");
    start((mail, task) -> Outcome.done());
    await().atMost(ofSeconds(40)).until(() -> db.finished("SUCCEEDED") == 1_200);
    assertThat(db.number("select count(*) from dibs.task_history where losses = 1"))
        .isEqualTo(1_200);
    assertThat(db.number("select last_value from rescued")).isGreaterThan(1_200);
  }

  private void hold(String worker) {
    db.execute(
        "update dibs.task set status = 'PROCESSING', attempt = 1, lease = gen_random_uuid(), worker_id = "
            + worker);
  }

  @Test
  void workersThatComeAndGoUnderLoad_neverRescueWhatIsTheirs() {
    for (int round = 0; round < 20; round++) {
      for (int i = 0; i < 20; i++) producer.enqueue(mail());
      start((mail, task) -> Outcome.done()).stop(Duration.ZERO);
    }
    start((mail, task) -> Outcome.done());
    await().atMost(ofSeconds(20)).until(() -> db.finished("SUCCEEDED") == 400);
    assertThat(db.number("select sum(failures + losses) from dibs.task_history")).isZero();
  }

  @Test
  void anErrorInAHandler_failsItsTaskAndNothingElse() {
    List<Error> errors =
        List.of(
            new OutOfMemoryError("simulated"),
            new StackOverflowError(),
            new NoClassDefFoundError("gone"),
            new AssertionError("no"));
    for (int i = 0; i < errors.size() + 4; i++)
      producer.enqueue(MAIL.task(new Mail(i)).queue("q").maxAttempts(1));
    Worker worker =
        start((mail, task) -> {
          if (mail.number() < errors.size()) throw errors.get(mail.number());
          return Outcome.done();
        });
    await()
        .atMost(ofSeconds(20))
        .until(() -> db.finished("DEAD") == errors.size() && db.finished("SUCCEEDED") == 4);
    assertThat(worker.isLive()).isTrue();
  }

  @Test
  void theBackoffOfAnyNumberOfFailures_isADayAtMost() {
    for (int failures = 1; failures <= 10_000; failures++) {
      assertThat(Backoff.after(failures))
          .isBetween(ofMillis(900), Duration.ofDays(1).multipliedBy(11).dividedBy(10));
    }
    assertThat(Backoff.after(Integer.MAX_VALUE)).isPositive();
  }
}
