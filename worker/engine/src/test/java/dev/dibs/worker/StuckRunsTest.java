package dev.dibs.worker;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.Kind;
import dev.dibs.LeaseLostException;
import dev.dibs.NewTask;
import dev.dibs.Outcome;
import dev.dibs.producer.Producer;
import dev.dibs.testing.TestDatabase;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Handlers that were told to stop and do not. */
@Timeout(60)
class StuckRunsTest {
  record Mail(int number) {}

  private static final Kind<Mail> MAIL = Kind.of("mail", Mail.class);
  private static final WorkerSettings SETTINGS =
      WorkerSettings.DEFAULT.withInterruptGrace(ofMillis(200));

  private final TestDatabase db = TestDatabase.create();
  private final Producer producer = Producer.on(db.dataSource());
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final LogCapture log = new LogCapture();
  private final CountDownLatch wayOut = new CountDownLatch(1);
  private @Nullable Worker worker;

  @AfterEach
  void stop() {
    wayOut.countDown();
    if (worker != null) worker.stop(Duration.ZERO);
    log.close();
    producer.close();
    db.close();
  }

  private Worker start(int concurrency, TaskHandler<Mail> handler) {
    return start(SETTINGS, concurrency, handler);
  }

  private Worker start(WorkerSettings settings, int concurrency, TaskHandler<Mail> handler) {
    Worker started =
        Worker.on(db.dataSource())
            .queue("q", concurrency)
            .handle(MAIL, handler)
            .metrics(meters)
            .settings(settings)
            .start();
    worker = started;
    return started;
  }

  private static NewTask<Mail> mail(int number) {
    return MAIL.task(new Mail(number)).queue("q").timeout(ofMillis(100));
  }

  private void hangDeaf() {
    while (wayOut.getCount() > 0) {
      try {
        wayOut.await();
      } catch (InterruptedException e) {
        // deaf on purpose
      }
    }
  }

  /** Of the task that failed, which may have come again since. */
  private @Nullable String error(String part) {
    return db.value(
        "select errors -> 0 ->> ? from (select errors from dibs.task union all select errors from dibs.task_history) t where errors is not null",
        part);
  }

  private double stuck() {
    return meters.find("dibs.runs.stuck").counters().stream().mapToDouble(c -> c.count()).sum();
  }

  @Test
  void aTimeoutThatIsIgnored_endsInARetryAndADumpAndOpensTheSlotAgain() {
    producer.enqueue(mail(1));
    start(
        1,
        (mail, task) -> {
          if (task.attempt() == 1 && mail.number() == 1) hangDeaf();
          return Outcome.done();
        });
    await().atMost(ofSeconds(10)).until(() -> stuck() == 1 && error("message") != null);
    assertThat(error("message")).isEqualTo("timed out after PT0.1S and did not stop");
    assertThat(error("stack")).contains("hangDeaf");
    assertThat(log.with("did not within"))
        .hasSize(1)
        .first()
        .asString()
        .contains("StuckRunsTest.hangDeaf")
        .contains("its slot opened again");

    producer.enqueue(mail(2));
    await().atMost(ofSeconds(10)).until(() -> db.finished("SUCCEEDED") == 2);
    assertThat(stuck()).isEqualTo(1);
    assertThat(db.number("select sum(failures) from dibs.task_history")).isEqualTo(1);
  }

  @Test
  void whatAStuckHandlerAnswersInTheEnd_isIgnoredAndItsTransactionRefused() {
    var refused = new AtomicReference<Throwable>();
    producer.enqueue(mail(1).maxAttempts(1));
    start(
        1,
        (mail, task) -> {
          hangDeaf();
          try {
            task.transaction(tx -> tx.execute("create table never (n int)"));
          } catch (LeaseLostException e) {
            refused.set(e);
          }
          return Outcome.done();
        });
    await().atMost(ofSeconds(10)).until(() -> db.finished("DEAD") == 1);
    wayOut.countDown();
    await().atMost(ofSeconds(10)).until(() -> log.with("has ended after").size() == 1);
    assertThat(refused.get()).isInstanceOf(LeaseLostException.class);
    assertThat(db.number("select count(*) from pg_class where relname = 'never'")).isZero();
    assertThat(db.finished("SUCCEEDED")).isZero();
    assertThat(meters.get("dibs.tasks.finished").tag("outcome", "succeeded").counter().count())
        .isZero();
  }

  @Test
  void asManyStuckRunsAsSlots_leaveTheRestTakenAndTheWorkerNotReady() throws Exception {
    var started = new AtomicInteger();
    Worker busy =
        start(
            2,
            (mail, task) -> {
              started.incrementAndGet();
              if (mail.number() < 4) hangDeaf();
              return Outcome.done();
            });
    for (int i = 0; i < 4; i++) producer.enqueue(mail(i).maxAttempts(1));
    await().atMost(ofSeconds(10)).until(() -> stuck() == 4);
    assertThat(busy.isReady()).isFalse();
    assertThat(log.with("its slot stays taken")).isNotEmpty();

    producer.enqueue(mail(9));
    await()
        .during(ofMillis(500))
        .atMost(ofSeconds(10))
        .until(() -> started.get() == 4 && db.tasks("PENDING") == 1);

    wayOut.countDown();
    await().atMost(ofSeconds(10)).until(() -> db.finished("SUCCEEDED") >= 1);
    await().atMost(ofSeconds(10)).until(busy::isReady);
  }

  @Test
  void aRunThatStopsWithinItsGrace_isNotStuckAndLeavesNoTimer() {
    producer.enqueue(mail(1).maxAttempts(1));
    Worker patient =
        start(
            SETTINGS.withInterruptGrace(ofSeconds(20)),
            1,
            (mail, task) -> {
              new CountDownLatch(1).await();
              return Outcome.done();
            });
    await().atMost(ofSeconds(10)).until(() -> db.finished("DEAD") == 1);
    await().atMost(ofSeconds(5)).until(() -> patient.timeoutsAhead() == 0);
    assertThat(stuck()).isZero();
  }
}
