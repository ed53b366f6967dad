package dev.dibs.producer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.dibs.EnqueueUnknownException;
import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.Landing;
import dev.dibs.NewTask;
import dev.dibs.Unique;
import dev.dibs.sql.Migrations;
import dev.dibs.sql.Schema;
import dev.dibs.testing.TestDatabase;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.ds.PGSimpleDataSource;

/** Enqueues whose answer never came. */
@Timeout(60)
class EnqueueUnknownTest {
  private static final Duration DAY = Duration.ofDays(1);
  private static final Pattern PUTS_IN = Pattern.compile("insert into|enqueue_rows\\(");

  private final TestDatabase db = TestDatabase.create();

  @AfterEach
  void drop() {
    db.close();
  }

  private static NewTask<Json> task() {
    return Kind.json("k").task(new Json("1")).queue("q");
  }

  /** Commits inserts, does {@code then}, and loses the answers of the first {@code cuts}. */
  private PGSimpleDataSource cutting(int cuts, Runnable then) {
    var left = new AtomicInteger(cuts);
    var dataSource =
        new PGSimpleDataSource() {
          @Override
          public Connection getConnection() throws SQLException {
            Connection real = super.getConnection();
            return proxy(
                Connection.class,
                real,
                answer ->
                    answer instanceof PreparedStatement statement
                        ? proxy(PreparedStatement.class, statement, same -> same)
                        : answer);
          }

          private <T> T proxy(
              Class<T> type, T real, java.util.function.UnaryOperator<Object> wrap) {
            return type.cast(
                Proxy.newProxyInstance(
                    type.getClassLoader(),
                    new Class<?>[] {type},
                    (proxy, method, arguments) -> {
                      try {
                        Object answer = method.invoke(real, arguments);
                        boolean sent =
                            real instanceof PreparedStatement statement
                                && method.getName().startsWith("execute")
                                && PUTS_IN.matcher(statement.toString()).find();
                        if (sent && left.getAndDecrement() > 0) {
                          then.run();
                          throw new SQLException("the reply was cut", "08006");
                        }
                        return answer == null ? null : wrap.apply(answer);
                      } catch (InvocationTargetException e) {
                        throw e.getCause() == null ? e : e.getCause();
                      }
                    }));
          }
        };
    dataSource.setUrl(db.testedUrl());
    return dataSource;
  }

  /** As a worker would: claimed, run and finished. */
  private void finishAll() {
    db.execute(
        "with gone as (delete from dibs.task returning *) insert into dibs.task_history"
            + " (id, created_at, run_at, status, priority, attempt, failures, losses, max_attempts, queue, kind, payload)"
            + " select id, created_at, run_at, 'SUCCEEDED', priority, 1, 0, 0, max_attempts, queue, kind, payload from gone");
  }

  @Test
  void anEnqueueWhoseReplyWasCut_isThereOnce() {
    try (Producer producer = Producer.on(cutting(1, () -> {}))) {
      assertThat(producer.enqueue(task()).inserted()).isFalse();
    }
    assertThat(db.tasks("PENDING")).isEqualTo(1);
  }

  @Test
  void anEnqueueWhoseReplyWasCutAndWhoseTaskHasEndedSince_isNotInsertedAgain() {
    try (Producer producer = Producer.on(cutting(1, this::finishAll))) {
      NewTask<Json> task = task();
      assertThat(producer.enqueue(task)).isEqualTo(new Enqueued(task.id(), Landing.ALREADY_THERE));
      assertThat(producer.enqueue(List.of(task(), task()))).hasSize(2);
    }
    assertThat(db.tasks("PENDING")).isEqualTo(2);
    assertThat(db.finished("SUCCEEDED")).isEqualTo(1);
  }

  @Test
  void aUniqueEnqueueWhoseReplyWasCut_isThereOnce() {
    int tasks = 100;
    for (int n = 0; n < tasks; n++) {
      Unique unique = Unique.by("key" + n);
      NewTask<Json> task = task().unique(n % 2 == 0 ? unique : unique.forAtLeast(DAY));
      try (Producer producer = Producer.on(cutting(1, () -> {}))) {
        assertThat(producer.enqueue(task).id()).isEqualTo(task.id());
        assertThat(producer.enqueue(task().unique(unique)))
            .isEqualTo(new Enqueued(task.id(), Landing.KEPT));
      }
    }
    assertThat(db.tasks("PENDING")).isEqualTo(tasks);
  }

  @Test
  void aUniqueEnqueueWhoseReplyWasCutAndWhoseTaskHasEndedSince_isNotInsertedAgain() {
    for (Unique unique : List.of(Unique.by("a"), Unique.by("b").untilStarted())) {
      NewTask<Json> task = task().unique(unique);
      try (Producer producer = Producer.on(cutting(1, this::finishAll))) {
        assertThat(producer.enqueue(task))
            .isEqualTo(new Enqueued(task.id(), Landing.ALREADY_THERE));
      }
      assertThat(db.tasks("PENDING")).isZero();
    }
  }

  /** One of two had ended long before; that says nothing of the other, which never arrived. */
  @Test
  void aTaskThatHadEndedBefore_doesNotSpeakForTheOthersOfItsBatch() {
    NewTask<Json> old = task();
    NewTask<Json> fresh = task();
    try (Producer other = Producer.on(db.dataSource())) {
      other.enqueue(old);
    }
    finishAll();
    Runnable undo = () -> db.execute("delete from dibs.task");
    try (Producer producer = Producer.on(cutting(1, undo))) {
      assertThat(producer.enqueue(List.of(old, fresh)))
          .containsExactly(
              new Enqueued(old.id(), Landing.ALREADY_THERE),
              new Enqueued(fresh.id(), Landing.INSERTED));
    }
    assertThat(db.value("select string_agg(id::text, ',') from dibs.task"))
        .isEqualTo(fresh.id().toString());
  }

  @Test
  void anUnknownEnqueueThatIsRepeatedByItsCaller_looksForItsTaskAmongTheEnded() {
    try (Producer producer = Producer.on(cutting(2, this::finishAll))) {
      NewTask<Json> task = task();
      assertThatThrownBy(() -> producer.enqueue(task))
          .isInstanceOf(EnqueueUnknownException.class)
          .hasMessageContaining("enqueue the same NewTask again");
      assertThat(producer.enqueue(task).inserted()).isFalse();
    }
    assertThat(db.tasks("PENDING")).isZero();
    assertThat(db.finished("SUCCEEDED")).isEqualTo(1);
  }

  @Test
  void aCoalescedEnqueueWhoseReplyWasCut_isNotInsertedAgainEither() {
    try (CoalescingProducer producer = CoalescingProducer.on(cutting(1, this::finishAll))) {
      List<CompletableFuture<Enqueued>> answers = new ArrayList<>();
      for (int i = 0; i < 20; i++) answers.add(producer.enqueue(task()));
      answers.forEach(CompletableFuture::join);
    }
    assertThat(db.tasks("PENDING") + db.finished("SUCCEEDED")).isEqualTo(20);
  }

  /** Cancelling the wait for a standby makes PostgreSQL call a commit a success, with a warning. */
  @Test
  void aCommitWhoseReplicationNobodyWaitedFor_isUnknown() throws Exception {
    try (EmbeddedPostgres alone =
            EmbeddedPostgres.builder()
                .setServerConfig("synchronous_commit", "on")
                .setPGStartupWait(Duration.ofSeconds(60))
                .start();
        Connection operator = alone.getPostgresDatabase().getConnection();
        var statement = operator.createStatement()) {
      Migrations.migrate(alone.getPostgresDatabase(), Schema.DEFAULT);
      statement.execute("alter system set synchronous_standby_names = 'nobody'");
      statement.execute("select pg_reload_conf()");
      statement.execute("set synchronous_commit = local");
      await().until(() -> "nobody".equals(show(alone, "synchronous_standby_names")));
      try (Producer producer = Producer.on(alone.getPostgresDatabase())) {
        var answer = CompletableFuture.supplyAsync(() -> producer.enqueue(task()));
        await()
            .until(() -> {
              try (var cancelled =
                  statement.executeQuery(
                      "select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'")) {
                return cancelled.next();
              }
            });
        assertThatThrownBy(answer::join)
            .isInstanceOf(CompletionException.class)
            .hasCauseInstanceOf(EnqueueUnknownException.class);
      }
    }
  }

  private static String show(EmbeddedPostgres server, String setting) throws SQLException {
    try (Connection connection = server.getPostgresDatabase().getConnection();
        var rows = connection.createStatement().executeQuery("show " + setting)) {
      rows.next();
      return rows.getString(1);
    }
  }

  @Test
  void aWarningOfATrigger_isNoDoubt() {
    db.execute(
        "create function chatter() returns trigger language plpgsql as $$ begin raise warning 'hello'; return new; end $$");
    db.execute(
        "create trigger chatter before insert on dibs.task for each row execute function chatter()");
    try (Producer producer = Producer.on(db.dataSource())) {
      assertThat(producer.enqueue(task()).inserted()).isTrue();
    }
  }
}
