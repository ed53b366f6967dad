package dev.dibs.worker;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.Outcome;
import dev.dibs.Rhythm;
import dev.dibs.Schedule;
import dev.dibs.producer.Canceller;
import dev.dibs.producer.CoalescingProducer;
import dev.dibs.producer.Producer;
import dev.dibs.sql.Pooler;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.ds.PGSimpleDataSource;

/** Everything but notifications works through a transaction pooler. */
@Timeout(180)
class PoolerTest {
  record Mail(int number) {}

  private static final Kind<Mail> MAIL = Kind.of("mail", Mail.class);
  private static final List<String> SETTINGS =
      List.of(
          "synchronous_commit",
          "enable_seqscan",
          "statement_timeout",
          "plan_cache_mode",
          "default_transaction_isolation",
          "jit");

  private final TestDatabase db = TestDatabase.create();
  private final Pgbouncer pooler = new Pgbouncer(db.url());
  private final PGSimpleDataSource pooled = new PGSimpleDataSource();
  private final LogCapture log = new LogCapture();
  private final Producer producer;
  private @Nullable Worker worker;

  PoolerTest() throws Exception {
    pooled.setUrl(pooler.url());
    producer = Producer.on(pooled);
  }

  @AfterEach
  void drop() throws Exception {
    if (worker != null) worker.stop(Duration.ZERO);
    producer.close();
    log.close();
    pooler.close();
    db.close();
  }

  private void start(WorkerSettings settings, TaskHandler<Mail> handler) {
    worker = Worker.on(pooled).queue("q", 8).handle(MAIL, handler).settings(settings).start();
  }

  private static NewTask<Mail> mail(int number) {
    return MAIL.task(new Mail(number)).queue("q");
  }

  @Test
  void aPooler_isRecognisedAndAServerIsNot() throws SQLException {
    assertThat(Pooler.isBetween(pooled)).isTrue();
    assertThat(Pooler.isBetween(db.dataSource())).isFalse();
  }

  @Test
  void aWorkerBehindAPooler_runsEverythingAndSaysOnceThatItPolls() {
    db.execute("create table sent (number int)");
    List<NewTask<Mail>> many = new ArrayList<>();
    for (int i = 0; i < 1_500; i++) many.add(mail(i));
    producer.enqueue(many);
    try (CoalescingProducer coalescing = CoalescingProducer.on(pooled)) {
      for (int i = 0; i < 100; i++) coalescing.enqueue(mail(i).delay(ofMillis(5))).join();
    }
    start(
        WorkerSettings.DEFAULT,
        (mail, task) -> {
          if (mail.number() % 7 == 0)
            task.transaction(tx -> tx.execute("insert into sent values (?)", mail.number()));
          else if (mail.number() % 11 == 0 && task.attempt() == 1)
            return Outcome.retry(ofMillis(1), "once more");
          return Outcome.done();
        });
    await().atMost(ofSeconds(80)).until(() -> db.finished("SUCCEEDED") == 1_600);
    assertThat(db.number("select count(*) from sent")).isEqualTo(215 + 15);
    assertThat(log.with("transaction pooler")).hasSize(1);
    assertThat(log.with("failed")).isEmpty();

    producer.enqueue(List.of(mail(1), mail(2).delay(ofMillis(100))));
    await().atMost(ofSeconds(10)).until(() -> db.finished("SUCCEEDED") == 1_602);
  }

  @Test
  void aWorkerBehindAPooler_ticksSchedulesThoughTheDatabaseRefusesOne() {
    db.execute("alter table dibs.task add constraint none_of_these check (kind <> 'refused')");
    db.execute(
        "insert into dibs.schedule (name, cron, kind, queue, next_tick_at)"
            + " values ('refused', '* * * * *', 'refused', 'q', now() - interval '1 hour')");
    Schedule schedule = Schedule.of("good", Rhythm.every(ofSeconds(1)), mail(1));
    worker =
        Worker.on(pooled)
            .queue("q", 8)
            .handle(MAIL, (mail, task) -> Outcome.done())
            .schedule(schedule)
            .start();
    await().atMost(ofSeconds(30)).until(() -> db.finished("SUCCEEDED") >= 2);
    assertThat(log.with("schedule 'refused' cannot tick")).hasSize(1);
    assertThat(db.number("select count(*) from dibs.schedule_tick where schedule = 'refused'"))
        .isZero();
  }

  /** A setting left behind would be another program's: its commits would not be durable, say. */
  @Test
  void aWorkerBehindAPooler_leavesNoSettingInTheSessionsItWasLent() throws SQLException {
    List<String> before = settings(db.connect());
    start(WorkerSettings.DEFAULT.withLease(ofSeconds(1)), (mail, task) -> Outcome.done());
    for (int i = 0; i < 50; i++) producer.enqueue(mail(i));
    await().atMost(ofSeconds(20)).until(() -> db.finished("SUCCEEDED") == 50);
    await().atMost(ofSeconds(10)).until(() -> db.number("select max(beat) from dibs.worker") > 2);
    List<Connection> sessions = new ArrayList<>();
    try {
      for (int i = 0; i < 4; i++) {
        Connection connection = pooled.getConnection();
        sessions.add(connection);
        connection.setAutoCommit(false); // each keeps its session from here on
        assertThat(settings(connection)).isEqualTo(before);
      }
    } finally {
      for (Connection connection : sessions) connection.close();
    }
  }

  @Test
  void aStep_endsNothingOfWhatTheNextDependsOn() throws SQLException {
    var route = new Route(pooled, new Outage());
    route.explore();
    try (Link link = new Link(route, ofSeconds(5), "set jit = off; set plan_cache_mode = auto")) {
      List<String> first = link.use(PoolerTest::settings);
      List<String> later =
          link.use(connection -> {
            link.step(connection);
            List<String> second = settings(connection);
            link.stepBack(connection);
            assertThat(settings(connection)).isEqualTo(second);
            return second;
          });
      assertThat(later).isEqualTo(first).contains("statement_timeout=4s", "jit=off");
    }
  }

  private static List<String> settings(Connection connection) throws SQLException {
    List<String> found = new ArrayList<>();
    for (String setting : SETTINGS) {
      try (var rows = connection.createStatement().executeQuery("show " + setting)) {
        rows.next();
        found.add(setting + "=" + rows.getString(1));
      }
    }
    return found;
  }

  @Test
  void aCancellationBehindAPooler_isLearnedAtTheNextBeat() throws Exception {
    NewTask<Mail> task = mail(1);
    var started = new CountDownLatch(1);
    var told = new AtomicBoolean();
    producer.enqueue(task);
    start(
        WorkerSettings.DEFAULT.withLease(ofSeconds(1)),
        (mail, run) -> {
          started.countDown();
          try {
            new CountDownLatch(1).await();
          } catch (InterruptedException e) {
            told.set(run.isInterrupted());
          }
          return Outcome.done();
        });
    started.await();
    Canceller.on(pooled).cancel(task.id(), "not wanted");
    await().atMost(ofSeconds(10)).untilTrue(told);
    assertThat(db.finished("CANCELLED")).isEqualTo(1);
  }
}
