package dev.dibs.producer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.dibs.DatabaseException;
import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.PayloadException;
import dev.dibs.Rhythm;
import dev.dibs.Schedule;
import dev.dibs.TaskStatus;
import dev.dibs.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jooq.SQLDialect;
import org.jooq.Transaction;
import org.jooq.TransactionContext;
import org.jooq.TransactionProvider;
import org.jooq.impl.DefaultConfiguration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;
import org.slf4j.LoggerFactory;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;
import org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.TransactionStatus;
import org.springframework.transaction.support.DefaultTransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/** Enqueues without a connection of the caller's while Spring has a transaction open. */
@Timeout(60)
class SpringTransactionTest {
  private final TestDatabase db = TestDatabase.create();
  private final DataSource plain = db.dataSource();
  private final DataSource workers = db.workerDataSource();
  private final Producer producer = Producer.on(new TransactionAwareDataSourceProxy(plain));
  private final ListAppender<ILoggingEvent> warnings = new ListAppender<>();

  @BeforeEach
  void prepare() {
    db.execute("create table orders (id int)");
    warnings.start();
    log().setAdditive(false);
    log().addAppender(warnings);
  }

  @AfterEach
  void drop() {
    log().detachAppender(warnings);
    log().setAdditive(true);
    producer.close();
    db.close();
  }

  private static Logger log() {
    return (Logger) LoggerFactory.getLogger(Surrounding.class);
  }

  private static NewTask<Json> task() {
    return Kind.json("k").task(new Json("1")).queue("q");
  }

  private static List<NewTask<?>> tasks(int count) {
    return Stream.<NewTask<?>>generate(SpringTransactionTest::task).limit(count).toList();
  }

  private static TransactionTemplate transaction(DataSource dataSource) {
    return new TransactionTemplate(new DataSourceTransactionManager(dataSource));
  }

  private void transact(Consumer<TransactionStatus> work) {
    transact(plain, work);
  }

  private static void transact(DataSource dataSource, Consumer<TransactionStatus> work) {
    transaction(dataSource).executeWithoutResult(work);
  }

  private void transact(int propagation, Consumer<TransactionStatus> work) {
    TransactionTemplate template = transaction(plain);
    template.setPropagationBehavior(propagation);
    template.executeWithoutResult(work);
  }

  private void order(int id) {
    order(plain, id);
  }

  private static void order(DataSource dataSource, int id) {
    new JdbcTemplate(dataSource).update("insert into orders values (?)", id);
  }

  private long orders() {
    return db.number("select count(*) from orders");
  }

  private long tasks() {
    return db.number("select count(*) from dibs.task");
  }

  /** Few go by INSERT, many by COPY. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 1_500})
  void enqueue_livesWithTheTransaction(int count) {
    transact(status -> {
      order(1);
      assertThat(producer.enqueue(tasks(count))).allMatch(Enqueued::inserted);
      order(2);
      assertThat(orders()).isZero();
      assertThat(tasks()).isZero();
    });
    assertThat(orders()).isEqualTo(2);
    assertThat(tasks()).isEqualTo(count);
    assertThat(warnings.list).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 1_500})
  void enqueue_diesWithTheTransaction(int count) {
    transact(status -> {
      order(1);
      producer.enqueue(tasks(count));
      order(2);
      status.setRollbackOnly();
    });
    assertThat(orders()).isZero();
    assertThat(tasks()).isZero();
  }

  /** Nothing was sent yet, so the server knows of no transaction. */
  @Test
  void enqueue_thatComesFirstDiesWithTheTransaction() {
    transact(status -> {
      producer.enqueue(task());
      order(1);
      status.setRollbackOnly();
    });
    assertThat(orders()).isZero();
    assertThat(tasks()).isZero();
  }

  @Test
  void enqueue_inATransactionOfItsOwnOutlivesTheOneAround() {
    transact(outer -> {
      producer.enqueue(task());
      transact(
          TransactionDefinition.PROPAGATION_REQUIRES_NEW,
          inner -> {
            order(1);
            producer.enqueue(task());
          });
      assertThat(tasks()).isEqualTo(1);
      producer.enqueue(task());
      outer.setRollbackOnly();
    });
    assertThat(tasks()).isEqualTo(1);
    assertThat(orders()).isEqualTo(1);
  }

  @Test
  void enqueue_inANestedTransactionDiesWithThat() {
    transact(outer -> {
      producer.enqueue(task());
      transact(
          TransactionDefinition.PROPAGATION_NESTED,
          inner -> {
            producer.enqueue(tasks(2));
            inner.setRollbackOnly();
          });
      order(1);
    });
    assertThat(tasks()).isEqualTo(1);
    assertThat(orders()).isEqualTo(1);
  }

  @Test
  void enqueue_whereATransactionIsSuspendedIsDurableAtOnce() {
    transact(outer -> {
      order(1);
      transact(TransactionDefinition.PROPAGATION_NOT_SUPPORTED, none -> producer.enqueue(task()));
      assertThat(tasks()).isEqualTo(1);
      outer.setRollbackOnly();
    });
    assertThat(tasks()).isEqualTo(1);
    assertThat(orders()).isZero();
    assertThat(warnings.list).isEmpty();
  }

  @Test
  void enqueue_inAReadOnlyTransactionIsRefused() {
    TransactionTemplate reading = transaction(plain);
    reading.setReadOnly(true);
    assertThatThrownBy(() -> reading.executeWithoutResult(status -> producer.enqueue(task())))
        .isInstanceOf(DatabaseException.class)
        .hasMessageContaining("1 task(s) could not be enqueued")
        .hasMessageContaining("read-only");
    assertThat(tasks()).isZero();
    producer.enqueue(task());
    assertThat(tasks()).isEqualTo(1);
  }

  @Test
  void enqueue_ofAPayloadThatCannotBeKeptLeavesTheTransactionUsable() {
    transact(status -> {
      order(1);
      assertThatThrownBy(() -> producer.enqueue(Kind.json("k").task(new Json("{"))))
          .isInstanceOf(PayloadException.class);
      producer.enqueue(task());
    });
    assertThat(orders()).isEqualTo(1);
    assertThat(tasks()).isEqualTo(1);
  }

  @Test
  void enqueue_ofWhatIsThereLeavesTheTransactionUsable() {
    NewTask<Json> task = task();
    producer.enqueue(task);
    transact(status -> {
      assertThat(producer.enqueue(task).inserted()).isFalse();
      order(1);
    });
    assertThat(orders()).isEqualTo(1);
  }

  @Test
  void enqueue_outsideOfTransactionsIsDurableAtOnce() {
    producer.enqueue(task());
    assertThat(tasks()).isEqualTo(1);
  }

  @Test
  void bell_goesWithTheCommit() {
    try (var ear = new Ear(db)) {
      transact(status -> {
        producer.enqueue(task());
        assertThat(ear.heard()).isEmpty();
      });
      assertThat(ear.heardQueues()).containsExactly("q");
      transact(status -> {
        producer.enqueue(task());
        status.setRollbackOnly();
      });
      producer.close();
      assertThat(ear.heard()).isEmpty();
    }
  }

  /** jOOQ takes its own transaction for the outermost, but it is a savepoint in one of Spring's. */
  @Test
  void bell_ofAJooqTransactionInOneOfSpringsGoesWithTheCommit() {
    var configuration =
        new DefaultConfiguration()
            .set(SQLDialect.POSTGRES)
            .set(new TransactionAwareDataSourceProxy(plain))
            .set(new Savepoints(new DataSourceTransactionManager(plain)))
            .derive(producer.transactionListener());
    try (var ear = new Ear(db)) {
      transact(status -> {
        order(1);
        configuration.dsl().transaction(inside -> producer.enqueue(inside, task()));
        assertThat(tasks()).isZero();
        assertThat(ear.heard()).isEmpty();
      });
      assertThat(tasks()).isEqualTo(1);
      assertThat(ear.heardQueues()).containsExactly("q");
      // Without one around it, it is the outermost indeed.
      configuration.dsl().transaction(inside -> producer.enqueue(inside, task()));
      assertThat(ear.next()).extracting(Ear.Ring::queue).containsExactly("q");
      assertThat(tasks()).isEqualTo(2);
    }
  }

  /** Makes jOOQ's transactions Spring's, as Spring Boot does. */
  private record Savepoints(DataSourceTransactionManager spring) implements TransactionProvider {
    private record Status(TransactionStatus status) implements Transaction {}

    @Override
    public void begin(TransactionContext context) {
      var nested = new DefaultTransactionDefinition(TransactionDefinition.PROPAGATION_NESTED);
      context.transaction(new Status(spring.getTransaction(nested)));
    }

    @Override
    public void commit(TransactionContext context) {
      spring.commit(status(context));
    }

    @Override
    public void rollback(TransactionContext context) {
      spring.rollback(status(context));
    }

    private static TransactionStatus status(TransactionContext context) {
      return ((Status) Objects.requireNonNull(context.transaction())).status();
    }
  }

  @Test
  void cancel_livesAndDiesWithTheTransaction() {
    NewTask<Json> task = task();
    producer.enqueue(task);
    Canceller canceller = Canceller.on(new TransactionAwareDataSourceProxy(workers));
    transact(
        workers,
        status -> {
          order(workers, 1);
          assertThat(canceller.cancel(task.id(), "why")).contains(TaskStatus.PENDING);
          status.setRollbackOnly();
        });
    assertThat(orders()).isZero();
    assertThat(db.tasks("PENDING")).isEqualTo(1);
    transact(workers, status -> canceller.cancel(task.id(), "why"));
    assertThat(db.tasks("PENDING")).isZero();
  }

  @Test
  void schedules_liveAndDieWithTheTransaction() {
    Schedules schedules = Schedules.on(new TransactionAwareDataSourceProxy(workers));
    Schedule schedule = Schedule.of("hourly", Rhythm.every(Duration.ofHours(1)), task());
    transact(
        workers,
        status -> {
          order(workers, 1);
          assertThat(schedules.add(schedule)).isTrue();
          assertThat(schedules.pause("hourly", "me", "why")).isTrue();
          status.setRollbackOnly();
        });
    assertThat(orders()).isZero();
    assertThat(schedules.list()).isEmpty();
    transact(workers, status -> schedules.add(schedule));
    assertThat(schedules.find("hourly")).isPresent();
  }

  @Test
  void enqueue_besideATransactionIsDurableAtOnceAndWarnsOnce() {
    try (Producer apart = Producer.on(plain)) {
      transact(status -> {
        order(1);
        for (int i = 0; i < 3; i++) apart.enqueue(task());
        status.setRollbackOnly();
      });
    }
    assertThat(tasks()).isEqualTo(3);
    assertThat(orders()).isZero();
    assertThat(warnings.list)
        .singleElement()
        .satisfies(event ->
            assertThat(event.getFormattedMessage()).contains("TransactionAwareDataSourceProxy"));
  }

  @Test
  void coalescedEnqueue_besideATransactionWarns() {
    try (CoalescingProducer coalescing =
        CoalescingProducer.on(new TransactionAwareDataSourceProxy(plain))) {
      coalescing.enqueue(task()).join();
      assertThat(warnings.list).isEmpty();
      transact(status -> {
        coalescing.enqueue(task()).join();
        status.setRollbackOnly();
      });
    }
    assertThat(tasks()).isEqualTo(2);
    assertThat(warnings.list).hasSize(1);
  }

  /** Nobody commits a connection that is only kept until that transaction ends. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void enqueue_besideATransactionOfAnotherDatabaseIsDurableAtOnce(boolean autoCommit) {
    try (TestDatabase elsewhere = TestDatabase.create();
        HikariDataSource pool = pool(autoCommit);
        Producer apart = Producer.on(new TransactionAwareDataSourceProxy(pool))) {
      transaction(elsewhere.dataSource())
          .executeWithoutResult(status -> {
            apart.enqueue(task());
            apart.enqueue(tasks(1_500));
          });
      assertThat(tasks()).isEqualTo(1_501);
      assertThat(warnings.list).hasSize(1);
    }
  }

  private HikariDataSource pool(boolean autoCommit) {
    var config = new HikariConfig();
    config.setJdbcUrl(db.testedUrl());
    config.setMaximumPoolSize(4);
    config.setAutoCommit(autoCommit);
    // Asked before every use: that opens a transaction on a connection that does not commit.
    System.setProperty("com.zaxxer.hikari.aliveBypassWindowMs", "-1");
    try {
      return new HikariDataSource(config);
    } finally {
      System.clearProperty("com.zaxxer.hikari.aliveBypassWindowMs");
    }
  }

  /** Such a pool rolls back what nobody committed; the task had been acknowledged. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 1_500})
  void enqueue_onAPoolThatDoesNotCommitIsDurableAtOnce(int count) {
    try (HikariDataSource pool = pool(false);
        Producer own = Producer.on(pool);
        Producer besideSpring = Producer.on(new TransactionAwareDataSourceProxy(pool))) {
      own.enqueue(tasks(count));
      besideSpring.enqueue(tasks(count));
      assertThat(tasks()).isEqualTo(2L * count);
      transaction(pool)
          .executeWithoutResult(status -> {
            own.enqueue(tasks(count));
            besideSpring.enqueue(tasks(count));
            assertThat(tasks()).isEqualTo(3L * count);
            status.setRollbackOnly();
          });
      assertThat(tasks()).isEqualTo(3L * count);
      assertThat(warnings.list).hasSize(1);
    }
  }

  /** Lends this thread always the same connection, and others, such as the bell's, new ones. */
  private DataSource lending(Connection only) {
    Thread us = Thread.currentThread();
    var same = new SingleConnectionDataSource(only, true);
    var source =
        new PGSimpleDataSource() {
          @Override
          public Connection getConnection() throws SQLException {
            return Thread.currentThread().equals(us) ? same.getConnection() : super.getConnection();
          }
        };
    source.setUrl(db.testedUrl());
    return source;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void connection_goesBackAsItCame(boolean autoCommit) throws SQLException {
    try (Connection only = db.connectTested();
        Connection worker = db.connectWorker();
        Producer producer = Producer.on(lending(only))) {
      only.setAutoCommit(autoCommit);
      worker.setAutoCommit(autoCommit);
      NewTask<Json> task = task();
      producer.enqueue(tasks(2));
      producer.enqueue(tasks(1_500));
      producer.enqueue(task);
      Canceller.on(lending(worker)).cancel(task.id(), "why");
      Schedules.on(lending(worker)).remove("none");
      assertThatThrownBy(() -> producer.enqueue(Kind.json("k").task(new Json("{"))))
          .isInstanceOf(PayloadException.class);
      db.execute("alter table dibs.task add check (kind <> 'bad')");
      assertThatThrownBy(() -> producer.enqueue(Kind.json("bad").task(new Json("1"))))
          .isInstanceOf(DatabaseException.class);
      assertThat(only.getAutoCommit()).isEqualTo(autoCommit);
      assertThat(worker.getAutoCommit()).isEqualTo(autoCommit);
    }
    assertThat(tasks()).isEqualTo(1_502);
  }

  /** Of a framework that nobody has heard of: it will not be committed half way. */
  @Test
  void enqueue_onAConnectionWithSomebodysTransactionIsRefused() throws SQLException {
    try (Connection only = db.connectTested();
        var statement = only.createStatement()) {
      only.setAutoCommit(false);
      statement.execute("insert into orders values (1)");
      var source = new SingleConnectionDataSource(only, true);
      try (CoalescingProducer coalescing = CoalescingProducer.on(source)) {
        assertThatThrownBy(() -> coalescing.enqueue(task()).join())
            .hasMessageContaining("pass the connection itself");
      }
      try (Producer producer = Producer.on(source)) {
        assertThatThrownBy(() -> producer.enqueue(task()))
            .isInstanceOf(DatabaseException.class)
            .hasMessageContaining("pass the connection itself");
      }
      assertThat(orders()).isZero();
      only.commit();
    }
    assertThat(orders()).isEqualTo(1);
    assertThat(tasks()).isZero();
  }
}
