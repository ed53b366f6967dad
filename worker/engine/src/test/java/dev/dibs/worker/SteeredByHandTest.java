package dev.dibs.worker;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.Kind;
import dev.dibs.Outcome;
import dev.dibs.Request;
import dev.dibs.operations.Operations;
import dev.dibs.operations.Operations.Answer.Result;
import dev.dibs.producer.Producer;
import dev.dibs.testing.TestDatabase;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Workers do what people ask for: they leave out what is paused, and drain. */
@Timeout(90)
class SteeredByHandTest {
  record Mail(int number) {}

  private static final Kind<Mail> MAIL = Kind.of("mail", Mail.class);
  private static final Kind<Mail> OTHER = Kind.of("other", Mail.class);

  private final TestDatabase db = TestDatabase.create();
  private final Producer producer = Producer.on(db.dataSource());
  private final Operations operations = Operations.on(db.dataSource());
  private final CountDownLatch started = new CountDownLatch(1);
  private final Semaphore mayEnd = new Semaphore(0);
  private final Worker worker = start();

  private Worker start() {
    return Worker.on(db.dataSource())
        .queue("q", 1)
        .handle(
            MAIL,
            (mail, task) -> {
              started.countDown();
              mayEnd.acquire();
              return Outcome.done();
            })
        .handle(OTHER, (mail, task) -> Outcome.done())
        .settings(WorkerSettings.DEFAULT.withPollInterval(ofSeconds(1)))
        .start();
  }

  @AfterEach
  void drop() {
    mayEnd.release(1_000);
    worker.close();
    producer.close();
    db.close();
  }

  private static Request why(String why) {
    return Request.of("ana", "test", why);
  }

  private void assertStaysPending(int tasks) {
    await()
        .during(ofMillis(1500))
        .atMost(ofSeconds(10))
        .until(() ->
            db.number("select count(*) from dibs.task where status = 'PENDING' and attempt = 0")
                == tasks);
  }

  @Test
  void aPausedKind_waitsWhileOthersOfItsQueueRunAndGoesOnWhenItIsResumed() {
    operations.pauseKind("mail", why("INC-7"));
    mayEnd.release(10);
    for (int i = 0; i < 3; i++) {
      producer.enqueue(MAIL.task(new Mail(i)).queue("q"));
      producer.enqueue(OTHER.task(new Mail(i)).queue("q"));
    }
    await().atMost(ofSeconds(10)).until(() -> db.finished("SUCCEEDED") == 3);
    assertStaysPending(3);
    assertThat(operations.kinds())
        .filteredOn(kind -> kind.name().equals("mail"))
        .singleElement()
        .satisfies(kind -> assertThat(kind.pause().orElseThrow().why()).isEqualTo("INC-7"));
    operations.resumeKind("mail", why(""));
    // They lie below the floor, and a sweep that was slow puts off the next by 30 s at most.
    await().atMost(ofSeconds(40)).until(() -> db.finished("SUCCEEDED") == 6);
  }

  @Test
  void aPausedQueue_finishesWhatRunsAndTellsHowManyThatAre() throws Exception {
    producer.enqueue(MAIL.task(new Mail(1)).queue("q"));
    started.await();
    assertThat(operations.pauseQueue("q", why("INC-7")).running()).isEqualTo(1);
    producer.enqueue(MAIL.task(new Mail(2)).queue("q"));
    mayEnd.release(2);
    await().atMost(ofSeconds(10)).until(() -> db.finished("SUCCEEDED") == 1);
    assertStaysPending(1);
    assertThat(operations.resumeQueue("q", why("")).running()).isZero();
    await().atMost(ofSeconds(10)).until(() -> db.finished("SUCCEEDED") == 2);
  }

  @Test
  void aDrainedWorker_finishesWhatRunsTakesNothingAndStaysUntilItIsUndrained() throws Exception {
    producer.enqueue(MAIL.task(new Mail(1)).queue("q"));
    started.await();
    var answer = operations.drainWorker(worker.id(), why("update"));
    assertThat(answer.result()).isEqualTo(Result.DONE);
    assertThat(answer.running()).isEqualTo(1);
    await().atMost(ofSeconds(15)).until(() -> !worker.isReady());
    assertThat(worker.health().draining()).isTrue();
    producer.enqueue(MAIL.task(new Mail(2)).queue("q"));
    mayEnd.release(2);
    await().atMost(ofSeconds(10)).until(() -> db.finished("SUCCEEDED") == 1);
    assertStaysPending(1);
    assertThat(worker.isLive()).isTrue();
    assertThat(operations.workers())
        .singleElement()
        .satisfies(row -> {
          assertThat(row.state().status()).isEqualTo("DRAINING");
          assertThat(row.drain().orElseThrow().why()).isEqualTo("update");
        });
    operations.undrainWorker(worker.id(), why(""));
    await().atMost(ofSeconds(10)).until(() -> db.finished("SUCCEEDED") == 2);
    assertThat(worker.isReady()).isTrue();
    await()
        .atMost(ofSeconds(10))
        .until(() -> "LIVE".equals(db.value("select status from dibs.worker")));
  }

  /** The wish is the process's, whatever its row is called. */
  @Test
  void aDrainedWorkerThatWasFenced_goesOnToDrain() {
    var before = worker.id();
    operations.drainWorker(before, why("update"));
    await().atMost(ofSeconds(15)).until(() -> !worker.isReady());
    db.execute("update dibs.worker set status = 'DEAD'");
    await().atMost(ofSeconds(20)).until(() -> !worker.id().equals(before));
    producer.enqueue(OTHER.task(new Mail(1)).queue("q"));
    assertStaysPending(1);
    assertThat(operations.undrainWorker(worker.id(), why("")).result()).isEqualTo(Result.DONE);
    await().atMost(ofSeconds(10)).until(() -> db.finished("SUCCEEDED") == 1);
  }
}
