package dev.dibs.producer;

import static java.time.Duration.ofDays;
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
import dev.dibs.Unique;
import dev.dibs.testing.TestDatabase;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.PGConnection;

/** So many tasks at once that they travel by COPY. */
@Timeout(60)
class BulkEnqueueTest {
  private static final int MANY = ManyTasks.COPY_FROM + 500;
  private static final Kind<Json> KIND = Kind.json("k");

  private final TestDatabase db = TestDatabase.create();
  private final Producer producer = Producer.on(db.dataSource());

  @AfterEach
  void drop() {
    producer.close();
    db.close();
  }

  private static NewTask<Json> task(int number) {
    return KIND.task(new Json("{\"n\":" + number + "}")).queue("q");
  }

  private static List<NewTask<?>> tasks(int count) {
    List<NewTask<?>> tasks = new ArrayList<>();
    for (int i = 0; i < count; i++) tasks.add(task(i));
    return tasks;
  }

  @Test
  void enqueue_answersEveryTaskInItsPlace() {
    List<NewTask<?>> tasks = tasks(MANY);
    Collections.shuffle(tasks, new java.util.Random(7));
    assertThat(producer.enqueue(tasks))
        .isEqualTo(tasks.stream().map(task -> new Enqueued(task.id(), Landing.INSERTED)).toList());
    assertThat(db.tasks("PENDING")).isEqualTo(MANY);
    assertThat(
            db.number(
                """
                select count(*) from (
                  select row_number() over (order by id) as by_id,
                    row_number() over (order by position) as by_position from dibs.task) t
                where by_id <> by_position\
                """))
        .isZero();
  }

  @Test
  void enqueue_leavesTasksThatAreThereAsTheyAre() {
    List<NewTask<?>> tasks = tasks(MANY);
    producer.enqueue(tasks.subList(0, 3));
    db.execute("update dibs.task set failures = 5");
    assertThat(producer.enqueue(tasks))
        .extracting(Enqueued::inserted)
        .startsWith(false, false, false, true)
        .filteredOn(inserted -> inserted)
        .hasSize(MANY - 3);
    assertThat(producer.enqueue(tasks)).extracting(Enqueued::inserted).containsOnly(false);
    assertThat(db.tasks("PENDING")).isEqualTo(MANY);
    assertThat(db.number("select count(*) from dibs.task where failures = 5")).isEqualTo(3);
  }

  @Test
  void enqueue_takesTheSameTaskTwiceInOneBatchOnce() {
    List<NewTask<?>> tasks = tasks(MANY);
    tasks.add(tasks.getFirst());
    assertThat(producer.enqueue(tasks)).hasSize(MANY + 1);
    assertThat(db.tasks("PENDING")).isEqualTo(MANY);
  }

  @Test
  void enqueue_mixesTasksThatAreDueNowAndLater() {
    List<NewTask<?>> tasks = tasks(MANY);
    tasks.add(task(-1).delay(ofMinutes(5)));
    tasks.add(task(-2).runAt(Instant.EPOCH));
    tasks.add(task(-3).runAt(Instant.now().plus(ofDays(1))));
    assertThat(producer.enqueue(tasks)).extracting(Enqueued::inserted).containsOnly(true);
    assertThat(db.tasks("PENDING")).isEqualTo(MANY + 1);
    assertThat(db.tasks("SCHEDULED")).isEqualTo(2);
    assertThat(db.value("select run_at - created_at from dibs.task where payload = '{\"n\": -1}'"))
        .isEqualTo("00:05:00");
    assertThat(
            db.number(
                "select count(*) from dibs.task where status = 'PENDING' and run_at <> created_at"))
        .isZero();
  }

  /** What is due later does not travel by COPY; its key is settled in its turn all the same. */
  @Test
  void enqueue_settlesKeysInOneOrderThoughSomeAreDueLater() throws Exception {
    List<NewTask<?>> tasks = new ArrayList<>();
    for (int i = 0; i < MANY; i++) tasks.add(task(i).unique(Unique.by("k" + i)));
    tasks.add(task(-1).unique(Unique.by("first")).delay(ofMinutes(5)));
    try (Connection holder = db.connect();
        ExecutorService thread = Executors.newSingleThreadExecutor()) {
      holder.setAutoCommit(false);
      producer.enqueue(holder, task(-2).unique(Unique.by("first")));
      Future<List<Enqueued>> batch = thread.submit(() -> producer.enqueue(tasks));
      await()
          .atMost(ofSeconds(20))
          .until(() ->
              db.number(
                      "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
                  == 1);
      assertThat(producer.enqueue(task(-3).unique(Unique.by("k7"))).inserted()).isTrue();
      holder.rollback();
      assertThat(batch.get()).filteredOn(task -> !task.inserted()).hasSize(1);
    }
  }

  @Test
  void enqueue_ofManyDelayedTasksCountsFromTheDatabasesClock() {
    List<NewTask<?>> tasks = new ArrayList<>();
    for (int i = 0; i < MANY; i++) tasks.add(task(i).delay(ofMinutes(5)));
    producer.enqueue(tasks);
    assertThat(
            db.number(
                "select count(*) from dibs.task where status = 'SCHEDULED' and run_at - created_at = '5 minutes'"))
        .isEqualTo(MANY);
  }

  @Test
  void enqueue_inTheCallersTransactionLivesAndDiesWithIt() throws SQLException {
    try (Connection connection = db.connectTested()) {
      connection.setAutoCommit(false);
      List<NewTask<?>> tasks = tasks(MANY);
      producer.enqueue(connection, tasks);
      assertThat(db.tasks("PENDING")).isZero();
      connection.rollback();
      assertThat(db.tasks("PENDING")).isZero();
      producer.enqueue(connection, tasks);
      connection.commit();
      assertThat(db.tasks("PENDING")).isEqualTo(MANY);
      assertThat(connection.isClosed()).isFalse();
    }
  }

  @Test
  void enqueue_ofKnownIdsKeepsWhatTheCallerWroteBefore() throws SQLException {
    List<NewTask<?>> tasks = tasks(MANY);
    producer.enqueue(tasks.get(1_200));
    db.execute("create table orders (id int)");
    try (Connection connection = db.connectTested()) {
      connection.setAutoCommit(false);
      connection.createStatement().execute("insert into orders values (1)");
      assertThat(producer.enqueue(connection, tasks))
          .filteredOn(enqueued -> !enqueued.inserted())
          .containsExactly(new Enqueued(tasks.get(1_200).id(), Landing.ALREADY_THERE));
      connection.createStatement().execute("insert into orders values (2)");
      connection.commit();
    }
    assertThat(db.number("select count(*) from orders")).isEqualTo(2);
    assertThat(db.tasks("PENDING")).isEqualTo(MANY);
  }

  @Test
  void enqueue_onAConnectionThatCommitsByItselfIsOneCommit() throws SQLException {
    List<NewTask<?>> tasks = tasks(MANY);
    tasks.add(task(-1).delay(ofMinutes(5)));
    try (Connection connection = db.connectTested()) {
      producer.enqueue(connection, tasks);
      assertThat(connection.getAutoCommit()).isTrue();
    }
    assertThat(db.number("select count(distinct xmin::text) from dibs.task")).isEqualTo(1);
    assertThat(db.number("select count(*) from dibs.task")).isEqualTo(MANY + 1);
  }

  @Test
  void enqueue_inAJooqTransactionLivesAndDiesWithIt() throws SQLException {
    try (Connection connection = db.connectTested()) {
      var dsl = DSL.using(connection, SQLDialect.POSTGRES);
      dsl.transaction(inside -> producer.enqueue(inside, tasks(MANY)));
      assertThatThrownBy(() ->
              dsl.transaction(inside -> {
                producer.enqueue(inside, tasks(MANY));
                throw new IllegalStateException("no");
              }))
          .isInstanceOf(IllegalStateException.class);
    }
    assertThat(db.tasks("PENDING")).isEqualTo(MANY);
  }

  @Test
  void enqueue_ofAPayloadThatCannotBeKeptLeavesTheTransactionAsItWas() throws SQLException {
    db.execute("create table orders (id int)");
    for (NewTask<?> bad :
        List.of(
            KIND.task(new Json("{")),
            KIND.task(new Json("\"\\u0000\"")).delay(ofSeconds(9)),
            KIND.task(new Json('"' + "x".repeat(300_000) + '"')))) {
      List<NewTask<?>> tasks = tasks(MANY);
      tasks.add(bad);
      assertThatThrownBy(() -> producer.enqueue(tasks)).isInstanceOf(PayloadException.class);
      try (Connection connection = db.connectTested()) {
        connection.setAutoCommit(false);
        connection.createStatement().execute("insert into orders values (1)");
        assertThatThrownBy(() -> producer.enqueue(connection, tasks))
            .isInstanceOf(PayloadException.class);
        connection.commit();
      }
    }
    assertThat(db.number("select count(*) from orders")).isEqualTo(3);
    assertThat(db.number("select count(*) from dibs.task")).isZero();
  }

  @Test
  void enqueue_refusedByTheDatabaseLeavesNothing() throws SQLException {
    db.execute("alter table dibs.task add check (payload <> '{\"n\": 1400}')");
    List<NewTask<?>> tasks = tasks(MANY);
    assertThatThrownBy(() -> producer.enqueue(tasks))
        .isExactlyInstanceOf(DatabaseException.class)
        .hasMessageContaining(MANY + " task(s) could not be enqueued");
    try (Connection connection = db.connectTested()) {
      assertThatThrownBy(() -> producer.enqueue(connection, tasks))
          .isInstanceOf(DatabaseException.class);
      assertThat(connection.getAutoCommit()).isTrue();
    }
    assertThat(db.number("select count(*) from dibs.task")).isZero();
  }

  @Test
  void enqueue_goesByArraysWhereTheTableOrTheConnectionTakesNoCopy() throws SQLException {
    try (Connection connection = hidden(db.connectTested())) {
      producer.enqueue(connection, tasks(MANY));
    }
    assertThat(db.tasks("PENDING")).isEqualTo(MANY);

    db.execute("create role tenant");
    db.execute("grant usage on schema dibs to tenant");
    db.execute("grant all on all tables in schema dibs to tenant");
    db.execute("grant all on all sequences in schema dibs to tenant");
    db.execute("alter table dibs.task enable row level security");
    db.execute("create policy all_rows on dibs.task to tenant using (true)");
    try (Connection connection = db.connect()) {
      connection.createStatement().execute("set role tenant");
      producer.enqueue(connection, tasks(MANY));
    } finally {
      db.execute("drop owned by tenant");
      db.execute("drop role tenant");
    }
    assertThat(db.tasks("PENDING")).isEqualTo(2 * MANY);
  }

  /** A connection of somebody who does not let the driver's show through. */
  private static Connection hidden(Connection real) {
    return (Connection)
        Proxy.newProxyInstance(
            BulkEnqueueTest.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("isWrapperFor")) return false;
              if (method.getName().equals("unwrap"))
                throw new SQLException("not a " + PGConnection.class);
              try {
                return method.invoke(real, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }
}
