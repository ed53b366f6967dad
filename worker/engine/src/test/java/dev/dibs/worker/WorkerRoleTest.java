package dev.dibs.worker;

import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.Kind;
import dev.dibs.Outcome;
import dev.dibs.Rhythm;
import dev.dibs.Schedule;
import dev.dibs.testing.TestRoles;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A worker whose user is a member of the worker role and nothing else does all that workers do. */
@Timeout(60)
class WorkerRoleTest {
  record Mail(String how) {}

  private static final Kind<Mail> MAIL = Kind.of("mail", Mail.class);

  private final TestRoles roles = new TestRoles();
  private final String schema = roles.schema().name();
  private final DataSource user = roles.user("worker");

  @AfterEach
  void drop() {
    roles.close();
  }

  private Worker start() {
    return Worker.on(user)
        .queue("q", 4)
        .handle(
            MAIL,
            (mail, task) -> {
              switch (mail.how()) {
                case "retry" -> {
                  if (task.attempt() == 1) return Outcome.retry(Duration.ofMillis(50), "once more");
                }
                case "dead" -> {
                  return Outcome.dead("no use");
                }
                case "follow" ->
                    task.transaction(tx -> tx.enqueue(MAIL.task(new Mail("followed")).queue("q")));
                default -> {}
              }
              return Outcome.done();
            })
        .schedule(
            Schedule.of("tick", Rhythm.every(ofSeconds(1)), MAIL.task(new Mail("tick")).queue("q")))
        .settings(WorkerSettings.DEFAULT.withSchema(roles.schema()).withLease(ofSeconds(1)))
        .start();
  }

  private long count(String what) {
    return roles.db().number("select count(*) from %s.%s".formatted(schema, what));
  }

  private void enqueueAsAProducer(String... hows) throws SQLException {
    try (Connection producer = roles.connectAs("producer");
        var statement =
            producer.prepareStatement(
                "select %s.enqueue('mail', jsonb_build_object('how', ?::text), queue => 'q')"
                    .formatted(schema))) {
      for (String how : hows) {
        statement.setString(1, how);
        statement.executeQuery().close();
      }
    }
  }

  @Test
  void aMemberOfTheWorkerRole_doesAllThatWorkersDo() throws SQLException {
    try (var log = new LogCapture()) {
      enqueueAsAProducer("done", "retry", "dead", "follow");
      roles
          .db()
          .execute("update %s.duty set next_run_at = now() - interval '1 s'".formatted(schema));
      roles
          .db()
          .execute(
              "insert into %1$s.audit (id, at, actor, source, action, target, result) select gen_random_uuid(), now() - interval '31 days', 'a', '', 'x.y', 'z', 'done' from generate_series(1, 3); select %1$s.retain_audit('30 days')"
                  .formatted(schema));
      roles
          .db()
          .execute(
              "drop table %s.task_history_%s"
                  .formatted(
                      schema,
                      roles
                          .db()
                          .value(
                              "select to_char(now() at time zone 'UTC' + interval '3 days', 'YYYYMMDD')")));
      Worker worker = start();
      await()
          .atMost(ofSeconds(30))
          .until(() ->
              count("task_history where status = 'SUCCEEDED' and payload ->> 'how' <> 'tick'")
                  == 4);
      assertThat(count("task_history where status = 'DEAD'")).isEqualTo(1);
      assertThat(count("task_history where payload ->> 'how' = 'followed'")).isEqualTo(1);
      await()
          .atMost(ofSeconds(20))
          .until(() -> count("task_history where payload ->> 'how' = 'tick'") >= 2);
      await().atMost(ofSeconds(20)).until(() -> count("duty where last_run_at is null") == 0);
      await().atMost(ofSeconds(20)).until(() -> count("audit where action = 'x.y'") == 0);
      await()
          .atMost(ofSeconds(20))
          .until(() ->
              roles
                      .db()
                      .number(
                          "select count(*) from pg_inherits where inhparent = '%s.task_history'::regclass"
                              .formatted(schema))
                  >= 5);
      worker.stop(ofMinutes(1));
      assertThat(log.with("failed")).isEmpty();
      assertThat(log.with("permission denied")).isEmpty();
      assertThat(count("worker")).isZero();
    }
  }

  /** One that claimed by the functions, as workers in other languages do, and died. */
  @Test
  void aDeadWorkerOfAnotherLanguage_isRescued() throws SQLException {
    enqueueAsAProducer("done", "done");
    try (Connection other = roles.connectAs("worker");
        var statement = other.createStatement()) {
      statement.execute(
          "select %s.claim(%s.register('gone', 1, '{q}', '{mail}'), '{q}', '{mail}', 1)"
              .formatted(schema, schema));
    }
    roles
        .db()
        .execute("update %s.worker set lease_until = now() - interval '1 s'".formatted(schema));
    Worker worker = start();
    await()
        .atMost(ofSeconds(30))
        .until(() -> count("task_history where payload ->> 'how' = 'done'") == 2);
    assertThat(roles.db().number("select max(losses) from %s.task_history".formatted(schema)))
        .isEqualTo(1);
    await().atMost(ofSeconds(20)).until(() -> count("worker") == 1);
    worker.stop(ofMinutes(1));
  }

  /** What a query of the worker role's may not be. */
  @Test
  void aMemberOfTheWorkerRole_changesNeitherSchemaNorHistory() throws SQLException {
    try (Connection connection = roles.connectAs("worker");
        var statement = connection.createStatement()) {
      for (String sql :
          new String[] {
            "drop table %s.task",
            "truncate %s.task",
            "alter table %s.task disable trigger all",
            "create table %s.mine (n int)",
            "delete from %s.task_history",
            "update %s.task_history set status = 'SUCCEEDED'",
            "insert into %s.queue (name) values ('q')"
          }) {
        String state = "";
        try {
          statement.execute(sql.formatted(schema));
        } catch (SQLException e) {
          state = e.getSQLState();
        }
        assertThat(state).as(sql).isEqualTo("42501");
      }
    }
  }
}
