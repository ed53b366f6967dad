package dev.dibs.worker;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.Outcome;
import dev.dibs.TaskStatus;
import dev.dibs.producer.Canceller;
import dev.dibs.producer.Producer;
import dev.dibs.sql.CancelTask;
import dev.dibs.sql.Schema;
import dev.dibs.testing.TestDatabase;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class CancelRunningTest {
  record Mail(int number) {}

  private static final Kind<Mail> MAIL = Kind.of("mail", Mail.class);

  private final TestDatabase db = TestDatabase.create();
  private final Producer producer = Producer.on(db.dataSource());
  private final Canceller canceller = Canceller.on(db.dataSource());
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final LogCapture log = new LogCapture();
  private final NewTask<Mail> task = MAIL.task(new Mail(1)).queue("q");
  private final CountDownLatch started = new CountDownLatch(1);
  private final CountDownLatch finished = new CountDownLatch(1);
  private final AtomicLong interruptedAt = new AtomicLong();
  private final AtomicBoolean knewIt = new AtomicBoolean();
  private @Nullable Worker worker;

  @AfterEach
  void stop() {
    if (worker != null) worker.stop(Duration.ZERO);
    log.close();
    producer.close();
    db.close();
  }

  private Outcome hang(RunningTask run) throws InterruptedException {
    started.countDown();
    try {
      new CountDownLatch(1).await();
      return Outcome.done();
    } catch (InterruptedException e) {
      interruptedAt.set(System.nanoTime());
      knewIt.set(run.isInterrupted());
      throw e;
    } finally {
      finished.countDown();
    }
  }

  /** Comes back once the task runs and its worker listens. */
  private void start(WorkerSettings settings) throws InterruptedException {
    producer.enqueue(task);
    worker =
        Worker.on(db.dataSource())
            .queue("q", 2)
            .handle(MAIL, (mail, run) -> mail.number() == 1 ? hang(run) : Outcome.done())
            .metrics(meters)
            .settings(settings)
            .start();
    started.await();
    await()
        .atMost(ofSeconds(10))
        .until(() ->
            db.number(
                    "select count(*) from pg_stat_activity where datname = current_database() and state = 'idle' and query like 'listen%'")
                == 1);
  }

  private double refusals() {
    return meters.find("dibs.lease.lost").counters().stream().mapToDouble(c -> c.count()).sum();
  }

  private long cancelledRuns() {
    return meters.find("dibs.task.run").tag("outcome", "cancelled").timers().stream()
        .mapToLong(timer -> timer.count())
        .sum();
  }

  @Test
  void aRunningTaskThatIsCancelled_tellsItsHandlerLongBeforeTheNextBeat() throws Exception {
    start(WorkerSettings.DEFAULT.withLease(ofSeconds(60)).withPollInterval(ofSeconds(30)));
    long cancelledAt = System.nanoTime();
    assertThat(canceller.cancel(task.id(), "not wanted")).contains(TaskStatus.PROCESSING);
    finished.await();
    assertThat(Duration.ofNanos(interruptedAt.get() - cancelledAt)).isLessThan(ofSeconds(5));
    assertThat(knewIt).isTrue();

    producer.enqueue(MAIL.task(new Mail(2)).queue("q"));
    await().atMost(ofSeconds(10)).until(() -> db.finished("SUCCEEDED") == 1);
    assertThat(db.finished("CANCELLED")).isEqualTo(1);
    assertThat(db.number("select count(*) from dibs.task")).isZero();
    assertThat(refusals()).isZero();
    assertThat(log.with(task.id().toString())).isEmpty();
    await().atMost(ofSeconds(10)).until(() -> cancelledRuns() == 1);
  }

  @Test
  void aCancellationNobodyHeard_isLearnedAtTheNextBeat() throws Exception {
    start(WorkerSettings.DEFAULT.withLease(ofSeconds(1)));
    try (Connection connection = db.connect()) {
      new CancelTask(Schema.DEFAULT).cancel(connection, task.id(), "without a word");
    }
    finished.await();
    assertThat(knewIt).isTrue();
    await().atMost(ofSeconds(10)).until(() -> cancelledRuns() == 1);
    assertThat(refusals()).isZero();
    assertThat(log.with(task.id().toString())).isEmpty();
  }

  @Test
  void aCancellationThatIsRolledBack_changesNothing() throws Exception {
    start(WorkerSettings.DEFAULT);
    try (Connection connection = db.connect()) {
      connection.setAutoCommit(false);
      assertThat(canceller.cancel(connection, task.id(), "or not")).contains(TaskStatus.PROCESSING);
      connection.rollback();
    }
    await()
        .during(ofMillis(300))
        .atMost(ofSeconds(10))
        .until(() -> finished.getCount() == 1 && db.tasks("PROCESSING") == 1);
  }

  @Test
  void aTaskThatCompletesItselfInATransaction_isNotTakenForCancelled() throws Exception {
    var hold = new CountDownLatch(1);
    var told = new AtomicBoolean();
    producer.enqueue(task);
    worker =
        Worker.on(db.dataSource())
            .queue("q", 2)
            .handle(
                MAIL,
                (mail, run) -> {
                  run.transaction(tx -> tx.execute("select 1"));
                  try {
                    hold.await();
                  } catch (InterruptedException e) {
                    told.set(true);
                  }
                  return Outcome.done();
                })
            .settings(WorkerSettings.DEFAULT.withLease(ofSeconds(2)))
            .start();
    await().atMost(ofSeconds(10)).until(() -> db.finished("SUCCEEDED") == 1);
    long beat = db.number("select beat from dibs.worker");
    await().atMost(ofSeconds(10)).until(() -> db.number("select beat from dibs.worker") > beat + 5);
    hold.countDown();
    assertThat(told).isFalse();
  }

  @Test
  void aWaitingTaskThatIsCancelled_neverRuns() throws SQLException {
    producer.enqueue(task);
    assertThat(canceller.cancel(task.id(), "no")).contains(TaskStatus.PENDING);
    assertThat(canceller.cancel(task.id(), "no again")).contains(TaskStatus.CANCELLED);
    assertThat(db.number("select count(*) from dibs.task")).isZero();
    assertThat(db.value("select errors -> 0 ->> 'message' from dibs.task_history")).isEqualTo("no");
  }
}
