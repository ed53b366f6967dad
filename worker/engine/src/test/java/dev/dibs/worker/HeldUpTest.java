package dev.dibs.worker;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.Outcome;
import dev.dibs.producer.Producer;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Somebody has rows of tasks locked that run, in a transaction that he leaves open. */
@Timeout(90)
class HeldUpTest {
  record Mail(int number) {}

  private static final Kind<Mail> MAIL = Kind.of("mail", Mail.class);

  private final TestDatabase db = TestDatabase.create();
  private final Producer producer = Producer.on(db.dataSource());
  private final CountDownLatch running = new CountDownLatch(2);
  private final Map<Integer, CountDownLatch> ends =
      Map.of(1, new CountDownLatch(1), 2, new CountDownLatch(1));
  private @Nullable Worker worker;

  @AfterEach
  void drop() {
    ends.values().forEach(CountDownLatch::countDown);
    if (worker != null) worker.stop(ofSeconds(1));
    producer.close();
    db.close();
  }

  private static NewTask<Mail> mail(int number) {
    return MAIL.task(new Mail(number)).queue("q");
  }

  private Worker startUntilBothRun() throws InterruptedException {
    Worker started =
        Worker.on(db.dataSource())
            .queue("q", 8)
            .handle(
                MAIL,
                (mail, task) -> {
                  running.countDown();
                  CountDownLatch end = ends.get(mail.number());
                  if (end != null) end.await();
                  return Outcome.done();
                })
            .start();
    worker = started;
    running.await();
    return started;
  }

  private void end(int mail) {
    Objects.requireNonNull(ends.get(mail)).countDown();
  }

  /** Lets the handler of {@code mail} end, and waits until its outcome waits for the lock. */
  private void endInTheFaceOfALock(int mail, int waiting) {
    end(mail);
    await()
        .atMost(ofSeconds(20))
        .until(() ->
            db.number(
                    "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
                >= waiting);
  }

  /**
   * Both connections that write outcomes meet a locked row. What ends meanwhile is written all the
   * same, and so are the two once they can be.
   */
  @Test
  void otherOutcomes_areWrittenMeanwhile() throws Exception {
    producer.enqueue(List.of(mail(1), mail(2)));
    startUntilBothRun();
    try (var log = new LogCapture();
        Connection caller = db.connect()) {
      lock(caller);
      endInTheFaceOfALock(1, 1);
      end(2);
      for (int batch = 1; batch <= 5; batch++) {
        for (int i = 0; i < 20; i++) producer.enqueue(mail(10));
        int written = 20 * batch;
        await().atMost(ofSeconds(8)).until(() -> db.finished("SUCCEEDED") == written);
      }
      assertThat(db.tasks("PROCESSING")).isEqualTo(2);
      assertThat(log.with("away")).isEmpty();
      caller.rollback();
    }
    await().atMost(ofSeconds(15)).until(() -> db.finished("SUCCEEDED") == 102);
    assertThat(db.number("select sum(attempt) from dibs.task_history")).isEqualTo(102);
  }

  /** A stop tries what is held up once more, at once. */
  @Test
  void aStop_writesWhatIsFreeAgain() throws Exception {
    producer.enqueue(List.of(mail(1), mail(2)));
    Worker stopping = startUntilBothRun();
    try (Connection caller = db.connect()) {
      lock(caller);
      endInTheFaceOfALock(1, 1);
      awaitHeldUp(stopping, 1);
      caller.rollback();
    }
    end(2);
    stopping.stop(ofSeconds(10));
    assertThat(db.finished("SUCCEEDED")).isEqualTo(2);
  }

  /** What it cannot write it leaves to those who rescue its tasks. */
  @Test
  void aStop_endsInTimeThoughRowsAreLocked() throws Exception {
    producer.enqueue(List.of(mail(1), mail(2)));
    Worker stopping = startUntilBothRun();
    try (Connection caller = db.connect()) {
      lock(caller);
      endInTheFaceOfALock(1, 1);
      end(2);
      awaitHeldUp(stopping, 2);
      long before = System.nanoTime();
      stopping.stop(ofSeconds(1));
      assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(ofSeconds(12));
      caller.rollback();
    }
    // A statement that waited in the server may have come to its end since.
    assertThat(
            db.number(
                "select (select count(*) from dibs.task where status = 'PROCESSING')"
                    + " + (select count(*) from dibs.task_history where status = 'SUCCEEDED')"))
        .isEqualTo(2);
  }

  private static void awaitHeldUp(Worker worker, int outcomes) {
    await().atMost(ofSeconds(20)).until(() -> worker.health().held().unwritten() == outcomes);
  }

  private static void lock(Connection caller) throws SQLException {
    caller.setAutoCommit(false);
    try (var statement = caller.createStatement()) {
      statement.execute("select from dibs.task for update");
    }
  }
}
