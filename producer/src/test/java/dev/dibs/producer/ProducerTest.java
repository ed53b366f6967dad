package dev.dibs.producer;

import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.dibs.DatabaseException;
import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.Landing;
import dev.dibs.NewTask;
import dev.dibs.PayloadException;
import dev.dibs.Priority;
import dev.dibs.sql.Schema;
import dev.dibs.testing.TestDatabase;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.ds.PGSimpleDataSource;

@Timeout(60)
class ProducerTest {
  record Mail(String to, int number) {}

  private static final Kind<Mail> MAIL = Kind.of("mail", Mail.class);

  private final TestDatabase db = TestDatabase.create();
  private final Producer producer = Producer.on(db.dataSource());

  @AfterEach
  void drop() {
    producer.close();
    db.close();
  }

  private static NewTask<Mail> mail(int number) {
    return MAIL.task(new Mail("you", number)).queue("q");
  }

  @Test
  void theSameTaskTwiceInACall_isOneTask() {
    NewTask<Mail> task = mail(1);
    assertThat(producer.enqueue(List.of(task, mail(2), task)))
        .extracting(Enqueued::landing)
        .containsExactly(Landing.INSERTED, Landing.INSERTED, Landing.ALREADY_THERE);
    assertThat(db.tasks("PENDING")).isEqualTo(2);
  }

  @Test
  void databaseWithoutTheSchema_isSaidWithTheWayOut() {
    try (TestDatabase empty = TestDatabase.createEmpty();
        Producer lost = Producer.on(empty.dataSource())) {
      assertThatThrownBy(() -> lost.enqueue(mail(1)))
          .isInstanceOf(DatabaseException.class)
          .hasMessageStartingWith(
              "1 task(s) could not be enqueued (is the schema there? `dibs migrate` makes it): ")
          .hasMessageContaining("does not exist");
    }
  }

  @Test
  @SuppressWarnings("NullAway") // that is what it is about
  void taskWithoutAPayload_isRefused() {
    assertThatThrownBy(() -> MAIL.task(null))
        .isInstanceOf(NullPointerException.class)
        .hasMessageContaining("a task of kind 'mail' has a payload");
  }

  @Test
  void enqueue_keepsEverythingTheTaskSays() {
    Instant tomorrow = Instant.now().plus(java.time.Duration.ofDays(1));
    NewTask<Mail> task =
        mail(7)
            .priority(Priority.URGENT)
            .runAt(tomorrow)
            .maxAttempts(3)
            .timeout(ofSeconds(90))
            .header("tag", "x");
    assertThat(producer.enqueue(task)).isEqualTo(new Enqueued(task.id(), Landing.INSERTED));

    assertThat(
            db.value(
                """
                select concat_ws('|', id, queue, kind, priority, status, max_attempts, timeout, payload, headers)
                from dibs.task\
                """))
        .isEqualTo(
            task.id()
                + "|q|mail|1|SCHEDULED|3|00:01:30|{\"to\": \"you\", \"number\": 7}|{\"tag\": \"x\"}");
    assertThat(
            db.number(
                "select count(*) from dibs.task where run_at = ?::timestamptz",
                tomorrow.toString()))
        .isEqualTo(1);
  }

  @Test
  void enqueue_countsADelayByTheDatabasesClock() {
    producer.enqueue(mail(1).delay(ofMinutes(5)));
    assertThat(db.value("select run_at - created_at from dibs.task")).isEqualTo("00:05:00");
    assertThat(db.tasks("SCHEDULED")).isEqualTo(1);
  }

  @Test
  void enqueue_takesARunTimeThatHasPassedAsNow() {
    producer.enqueue(mail(1).runAt(Instant.EPOCH));
    assertThat(db.tasks("PENDING")).isEqualTo(1);
    assertThat(db.number("select count(*) from dibs.task where run_at = created_at")).isEqualTo(1);
  }

  @Test
  void enqueue_inTheCallersTransactionLivesAndDiesWithIt() throws SQLException {
    try (Connection connection = db.connectTested()) {
      connection.setAutoCommit(false);
      producer.enqueue(connection, mail(1));
      connection.rollback();
      assertThat(db.tasks("PENDING")).isZero();
      producer.enqueue(connection, List.of(mail(2), mail(3)));
      assertThat(db.tasks("PENDING")).isZero();
      connection.commit();
      assertThat(db.tasks("PENDING")).isEqualTo(2);
      assertThat(connection.isClosed()).isFalse();
    }
  }

  @Test
  void enqueue_inAJooqTransactionLivesAndDiesWithIt() throws SQLException {
    try (Connection connection = db.connectTested()) {
      var dsl = DSL.using(connection, SQLDialect.POSTGRES);
      dsl.transaction(inside -> producer.enqueue(inside, mail(1)));
      assertThatThrownBy(() ->
              dsl.transaction(inside -> {
                producer.enqueue(inside, mail(2));
                throw new IllegalStateException("no");
              }))
          .isInstanceOf(IllegalStateException.class);
      assertThat(db.tasks("PENDING")).isEqualTo(1);
    }
  }

  @Test
  void enqueue_ofTheSameTaskAgainChangesNothing() {
    NewTask<Mail> task = mail(1);
    assertThat(producer.enqueue(task).inserted()).isTrue();
    assertThat(producer.enqueue(List.of(task, mail(2))))
        .extracting(Enqueued::inserted)
        .containsExactly(false, true);
    assertThat(db.tasks("PENDING")).isEqualTo(2);
  }

  @Test
  void enqueue_ofWhatIsThereLeavesTheCallersTransactionUsable() throws SQLException {
    NewTask<Mail> task = mail(1);
    producer.enqueue(task);
    for (String begin : List.of("begin", "")) { // the driver commits by itself, the caller does not
      try (Connection connection = db.connectTested();
          var statement = connection.createStatement()) {
        connection.setAutoCommit(!begin.isEmpty());
        statement.execute(begin);
        assertThat(producer.enqueue(connection, task).inserted()).isFalse();
        assertThat(producer.enqueue(connection, List.of(mail(2), task)))
            .extracting(Enqueued::inserted)
            .containsExactly(true, false);
        statement.execute("commit");
      }
    }
    assertThat(db.tasks("PENDING")).isEqualTo(3);
  }

  @Test
  void enqueue_keepsTheOrderOfAThreadInItsIds() {
    List<NewTask<?>> tasks = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) tasks.add(mail(i));
    producer.enqueue(tasks);
    assertThat(
            db.number(
                """
                select count(*) from (
                  select (payload ->> 'number')::int n, row_number() over (order by id) - 1 as by_id,
                    row_number() over (order by position) - 1 as by_position from dibs.task) t
                where n <> by_id or n <> by_position\
                """))
        .isZero();
  }

  @Test
  void enqueue_refusesAPayloadThatIsTooLargeBeforeItIsSent() {
    NewTask<Mail> large = MAIL.task(new Mail("ä".repeat(140_000), 1));
    assertThatThrownBy(() -> producer.enqueue(List.of(mail(1), large)))
        .isInstanceOf(PayloadException.class)
        .hasMessageContaining("kind 'mail'")
        .hasMessageContaining("at most 262144");
    assertThat(db.tasks("PENDING")).isZero();
  }

  @Test
  void enqueue_refusesWhatTheDatabaseCouldNotKeep() {
    for (String json :
        List.of(
            "\"\\u0000\"",
            "\"\\ud800\"",
            "\"\\ude00\\ud83d\"",
            "{\"\\ud83dx\": 1}",
            "{\"a\":1,\"a\":2}",
            "1e200000",
            "[".repeat(600) + "]".repeat(600),
            "{",
            "",
            "1 2",
            "nul")) {
      assertThatThrownBy(() -> producer.enqueue(Kind.json("raw").task(new Json(json))))
          .as(json.length() > 40 ? "deep" : json)
          .isInstanceOf(PayloadException.class);
    }
    for (String json : List.of("null", "\"\"", "1e10", "[]", "{\"ä\": \"\\ud83d\\ude00\"}")) {
      producer.enqueue(Kind.json("raw").task(new Json(json)));
    }
    assertThat(db.tasks("PENDING")).isEqualTo(5);
  }

  @Test
  void names_areRefusedWhenTheyAreEmptyTooLongOrHoldControlCharacters() {
    for (String name : List.of("", "x".repeat(129), "a\u0000", "a\nb", "\ud800")) {
      assertThatThrownBy(() -> mail(1).queue(name)).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> Kind.json(name)).isInstanceOf(IllegalArgumentException.class);
    }
    String quoted = "'; drop table dibs.task; -- \"𝔘\" $1 ?";
    producer.enqueue(mail(1).queue(quoted));
    assertThat(db.value("select queue from dibs.task")).isEqualTo(quoted);
  }

  @Test
  void options_areRefusedWithTheValueThatDoesNotFit() {
    assertThatThrownBy(() -> mail(1).delay(ofSeconds(-1))).hasMessageContaining("PT-1S");
    assertThatThrownBy(() -> mail(1).delay(ofSeconds(Long.MAX_VALUE)))
        .hasMessageContaining("100 years");
    assertThatThrownBy(() -> mail(1).runAt(Instant.MAX)).hasMessageContaining("9999");
    assertThatThrownBy(() -> mail(1).maxAttempts(0)).hasMessageContaining("was 0");
    assertThatThrownBy(() -> mail(1).timeout(ofSeconds(0))).hasMessageContaining("PT0S");
  }

  @Test
  void bell_ringsAfterAnOwnEnqueueAndInTheCallersTransaction() throws SQLException {
    try (Connection listener = db.connect();
        Connection connection = db.connectTested()) {
      listener.createStatement().execute("listen dibs");
      producer.enqueue(mail(1));
      assertThat(awaitBell(listener)).isEqualTo("q");
      connection.setAutoCommit(false);
      producer.enqueue(connection, mail(2).queue("other"));
      connection.commit();
      assertThat(awaitBell(listener)).isEqualTo("other");
    }
  }

  private static String awaitBell(Connection listener) {
    List<String> heard = new ArrayList<>();
    await()
        .atMost(ofSeconds(5))
        .until(() -> {
          PGNotification[] bells = listener.unwrap(PGConnection.class).getNotifications(100);
          if (bells != null) for (PGNotification bell : bells) heard.add(bell.getParameter());
          return !heard.isEmpty();
        });
    return heard.getFirst();
  }

  @Test
  void bell_ringsForWhatCameWhileItRested() throws SQLException {
    try (Connection listener = db.connect();
        Producer resting =
            Producer.on(db.dataSource(), ProducerSettings.DEFAULT.withBellInterval(ofSeconds(2)))) {
      listener.createStatement().execute("listen dibs");
      PGConnection ear = listener.unwrap(PGConnection.class);
      resting.enqueue(mail(1));
      assertThat(ear.getNotifications(20_000)).hasSize(1);
      resting.enqueue(mail(2));
      resting.enqueue(mail(3));
      assertThat(ear.getNotifications(20_000)).hasSize(1);
    }
  }

  @Test
  void bell_ringsOnceForABurst() throws Exception {
    try (Connection listener = db.connect();
        Producer slow =
            Producer.on(
                db.dataSource(), ProducerSettings.DEFAULT.withBellInterval(ofSeconds(30)))) {
      listener.createStatement().execute("listen dibs");
      var threads = new ArrayList<Thread>();
      var go = new CountDownLatch(1);
      for (int t = 0; t < 8; t++) {
        threads.add(
            Thread.ofVirtual()
                .start(() -> {
                  try (Connection connection = db.connectTested()) {
                    go.await();
                    for (int i = 0; i < 25; i++) slow.enqueue(connection, mail(i));
                  } catch (SQLException | InterruptedException e) {
                    throw new IllegalStateException(e);
                  }
                }));
      }
      go.countDown();
      for (Thread thread : threads) thread.join();
      PGNotification[] bells = listener.unwrap(PGConnection.class).getNotifications(1_000);
      assertThat(bells).hasSize(1);
      assertThat(db.tasks("PENDING")).isEqualTo(200);
    }
  }

  @Test
  void enqueue_goesToTheSchemaOfItsSettings() {
    var schema = new Schema("my_queue_2");
    db.migrate(schema);
    try (Producer other =
        Producer.on(db.dataSource(), ProducerSettings.DEFAULT.withSchema(schema))) {
      other.enqueue(mail(1));
    }
    assertThat(db.number("select count(*) from my_queue_2.task")).isEqualTo(1);
    assertThat(db.tasks("PENDING")).isZero();
  }

  @Test
  void enqueue_thatIsCommittedDoesNotFailWhenTheConnectionCannotBeClosed() {
    var dataSource =
        new PGSimpleDataSource() {
          @Override
          public Connection getConnection() throws SQLException {
            return failingToClose(super.getConnection());
          }
        };
    dataSource.setUrl(db.testedUrl());
    try (Producer other = Producer.on(dataSource)) {
      assertThat(other.enqueue(mail(1)).inserted()).isTrue();
    }
    assertThat(db.tasks("PENDING")).isEqualTo(1);
  }

  private static Connection failingToClose(Connection real) {
    return (Connection)
        Proxy.newProxyInstance(
            ProducerTest.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            (proxy, method, arguments) -> {
              Object answer = method.invoke(real, arguments);
              if (method.getName().equals("close"))
                throw new SQLException("the pool is closed", "99999");
              return answer;
            });
  }

  @Test
  void enqueue_saysWhenTheDatabaseRefuses() {
    db.execute("drop schema dibs cascade");
    assertThatThrownBy(() -> producer.enqueue(mail(1)))
        .isInstanceOf(DatabaseException.class)
        .hasMessageContaining("1 task(s) could not be enqueued");
  }
}
