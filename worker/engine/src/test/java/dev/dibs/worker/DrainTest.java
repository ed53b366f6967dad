package dev.dibs.worker;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.Kind;
import dev.dibs.Outcome;
import dev.dibs.producer.Producer;
import dev.dibs.testing.TestDatabase;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.ds.PGSimpleDataSource;

/** How a worker stops. */
@Timeout(90)
class DrainTest {
  record Mail(int number) {}

  private static final Kind<Mail> MAIL = Kind.of("mail", Mail.class);

  private final TestDatabase db = TestDatabase.create();
  private final Producer producer = Producer.on(db.dataSource());
  private final CountDownLatch started = new CountDownLatch(1);
  private final CountDownLatch release = new CountDownLatch(1);

  @AfterEach
  void drop() {
    release.countDown();
    producer.close();
    db.close();
  }

  private Worker start(javax.sql.DataSource dataSource) throws InterruptedException {
    return start(dataSource, release::await);
  }

  private interface Wait {
    void untilReleased() throws InterruptedException;
  }

  private void deaf() {
    while (release.getCount() > 0) {
      try {
        release.await();
      } catch (InterruptedException e) {
        // deaf on purpose
      }
    }
  }

  private Worker start(javax.sql.DataSource dataSource, Wait wait) throws InterruptedException {
    producer.enqueue(MAIL.task(new Mail(1)).queue("q"));
    Worker worker =
        Worker.on(dataSource)
            .transactions(db.dataSource())
            .queue("q", 4)
            .handle(
                MAIL,
                (mail, task) -> {
                  started.countDown();
                  wait.untilReleased();
                  return Outcome.done();
                })
            .settings(WorkerSettings.DEFAULT.withPollInterval(ofMillis(50)))
            .start();
    started.await();
    return worker;
  }

  @Test
  void aWorkerThatStops_saysDrainingAtOnceAndClaimsNothing() throws Exception {
    Worker worker = start(db.dataSource());
    Thread stopper = Thread.ofVirtual().start(() -> worker.stop(ofSeconds(30)));
    await()
        .atMost(ofSeconds(10))
        .until(() -> "DRAINING".equals(db.value("select status from dibs.worker")));
    producer.enqueue(MAIL.task(new Mail(2)).queue("q"));
    await()
        .during(ofMillis(500))
        .atMost(ofSeconds(10))
        .until(() ->
            db.number("select count(*) from dibs.task where status = 'PENDING' and attempt = 0")
                == 1);
    release.countDown();
    stopper.join();
    assertThat(db.number("select count(*) from dibs.worker")).isZero();
    assertThat(db.finished("SUCCEEDED")).isEqualTo(1);
  }

  @Test
  void aWorkerThatWasFencedWhileItDrained_registersAsDraining() throws Exception {
    Worker worker = start(db.dataSource(), this::deaf);
    var before = worker.id();
    Thread stopper = Thread.ofVirtual().start(() -> worker.stop(ofSeconds(30)));
    await().atMost(ofSeconds(10)).until(() -> !worker.isReady());
    db.execute("update dibs.worker set status = 'DEAD'");
    await().atMost(ofSeconds(20)).until(() -> !worker.id().equals(before));
    await()
        .atMost(ofSeconds(20))
        .until(() ->
            db.number(
                    "select count(*) from dibs.worker where id = ? and status = 'DRAINING'",
                    worker.id())
                == 1);
    release.countDown();
    stopper.join();
  }

  @Test
  void aStopWhileTheDatabaseIsAway_endsSoonAfterTheDrainTimeout() throws Exception {
    try (var wire = new Wire(db.url())) {
      var throughWire = new PGSimpleDataSource();
      throughWire.setUrl(wire.url());
      Worker worker = start(throughWire);
      wire.swallow();
      long stoppedAt = System.nanoTime();
      worker.stop(ofSeconds(1));
      assertThat(Duration.ofNanos(System.nanoTime() - stoppedAt)).isLessThan(ofSeconds(11));
      assertThat(worker.isLive()).isFalse();
    }
  }

  @Test
  void aStopWhileThePoolGivesNoConnection_endsSoonAfterTheDrainTimeout() throws Exception {
    var gate = new CountDownLatch(1);
    var closed = new java.util.concurrent.atomic.AtomicBoolean();
    var slow =
        new PGSimpleDataSource() {
          @Override
          public java.sql.Connection getConnection() throws java.sql.SQLException {
            if (closed.get()) awaitGate();
            return super.getConnection();
          }

          private void awaitGate() throws java.sql.SQLException {
            try {
              gate.await();
            } catch (InterruptedException e) {
              throw new java.sql.SQLException(e);
            }
          }
        };
    slow.setUrl(db.url());
    Worker worker = start(slow);
    closed.set(true);
    db.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");
    long stoppedAt = System.nanoTime();
    worker.stop(ofSeconds(1));
    gate.countDown();
    assertThat(Duration.ofNanos(System.nanoTime() - stoppedAt)).isLessThan(ofSeconds(11));
  }
}
