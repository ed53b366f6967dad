package dev.dibs.worker;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.dibs.Kind;
import dev.dibs.LeaseLostException;
import dev.dibs.NewTask;
import dev.dibs.Outcome;
import dev.dibs.producer.Enqueued;
import dev.dibs.producer.Producer;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A database on which every transaction begins as serializable, unless it says otherwise. */
@Timeout(60)
class IsolationTest {
  record Mail(int number) {}

  private static final Kind<Mail> MAIL = Kind.of("mail", Mail.class);

  private final TestDatabase db = TestDatabase.create("serializable");
  private final Producer producer = Producer.on(db.dataSource());
  private @Nullable Worker worker;

  @AfterEach
  void drop() {
    if (worker != null) worker.stop(Duration.ZERO);
    producer.close();
    db.close();
  }

  private void start(TaskHandler<Mail> handler) {
    worker =
        Worker.on(db.dataSource())
            .queue("q", 8)
            .handle(MAIL, handler)
            .settings(WorkerSettings.DEFAULT.withLease(ofSeconds(1)))
            .start();
  }

  private static NewTask<Mail> mail(int number) {
    return MAIL.task(new Mail(number)).queue("q");
  }

  private void awaitSucceeded(long tasks) {
    await().atMost(ofSeconds(20)).until(() -> db.finished("SUCCEEDED") == tasks);
  }

  @Test
  void theDatabaseOfThisTest_isStrict() {
    assertThat(db.value("show transaction_isolation")).isEqualTo("serializable");
  }

  @Test
  void aWorker_runsEveryTaskOnceAllTheSame() {
    for (int i = 0; i < 300; i++) producer.enqueue(mail(i));
    start((mail, task) ->
        mail.number() % 10 == 0 && task.attempt() == 1
            ? Outcome.snooze(Duration.ofMillis(1))
            : Outcome.done());
    awaitSucceeded(300);
    assertThat(db.number("select sum(failures + losses) from dibs.task_history")).isZero();
  }

  @Test
  void aHandlersTransaction_isAsStrictAsTheDatabaseSaysAndCompletesItsTask() {
    var isolation = new AtomicReference<String>();
    db.execute("create table sent (number int)");
    producer.enqueue(mail(1));
    start((mail, task) -> {
      task.transaction(tx -> {
        tx.execute("insert into sent values (1)");
        isolation.set(
            String.valueOf(tx.dsl().fetchValue("select current_setting('transaction_isolation')")));
      });
      return Outcome.done();
    });
    awaitSucceeded(1);
    assertThat(isolation).hasValue("serializable");
    assertThat(db.number("select count(*) from sent")).isEqualTo(1);
  }

  /** The transaction has its snapshot; the task changes hands; the completion is overtaken. */
  @Test
  void aRunThatLosesItsTaskWithinAStrictTransaction_isToldThatItLostIt() {
    db.execute("create table sent (number int)");
    var told = new AtomicReference<Throwable>();
    producer.enqueue(mail(1));
    start((mail, task) -> {
      if (task.attempt() > 1) return Outcome.done();
      try {
        task.transaction(tx -> {
          tx.execute("insert into sent values (1)");
          db.execute(
              "update dibs.task set status = 'PENDING', lease = null, worker_id = null, losses = losses + 1");
        });
      } catch (LeaseLostException e) {
        told.set(e);
        throw e;
      }
      return Outcome.done();
    });
    awaitSucceeded(1);
    await().atMost(ofSeconds(10)).until(() -> told.get() != null);
    assertThat(told.get()).isInstanceOf(LeaseLostException.class);
    assertThat(db.number("select count(*) from sent")).isZero();
  }

  @Test
  void manyWhoEnqueueTheSameTask_leaveOne() throws InterruptedException {
    NewTask<Mail> task = mail(1);
    var go = new CountDownLatch(1);
    List<CompletableFuture<Enqueued>> answers = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      answers.add(
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  go.await();
                } catch (InterruptedException e) {
                  throw new IllegalStateException(e);
                }
                return producer.enqueue(task);
              },
              command -> Thread.ofVirtual().start(command)));
    }
    go.countDown();
    assertThat(answers.stream().map(CompletableFuture::join).filter(Enqueued::inserted)).hasSize(1);
    assertThat(db.tasks("PENDING")).isEqualTo(1);
  }

  @Test
  void anEnqueueInAStrictTransaction_livesAndDiesWithItAndItsConflictIsTheCallers()
      throws SQLException {
    NewTask<Mail> task = mail(1);
    try (Connection connection = db.connect()) {
      connection.setAutoCommit(false);
      connection.createStatement().executeQuery("select count(*) from dibs.task").close();
      producer.enqueue(task);
      assertThatThrownBy(() -> producer.enqueue(connection, task))
          .isInstanceOfSatisfying(
              dev.dibs.DatabaseException.class, e -> assertThat(e.sqlState()).isEqualTo("40001"));
      connection.rollback();
      producer.enqueue(connection, mail(2));
      connection.commit();
    }
    assertThat(db.tasks("PENDING")).isEqualTo(2);
  }
}
