package dev.dibs.app;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.testing.TestDatabase;
import java.io.StringWriter;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

class StatusCommandTest {
  private final TestDatabase database = TestDatabase.create();

  @AfterEach
  void drop() {
    database.close();
  }

  private void fill() {
    database.execute(
        "insert into dibs.task (id, queue, kind, run_at) select gen_random_uuid(), 'mail', 'k',"
            + " clock_timestamp() - interval '90 seconds' from generate_series(1, 3)");
    database.execute(
        "insert into dibs.task_history (id, created_at, run_at, status, priority, attempt, failures, losses, max_attempts,"
            + " queue, kind, payload) values (gen_random_uuid(), now(), now(), 'SUCCEEDED', 3, 1, 0, 0, 25, 'mail', 'k', '{}')");
    database.execute(
        "insert into dibs.worker (id, host, pid, version, queues, kinds, concurrency, lease_until) values"
            + " (gen_random_uuid(), 'box\u0007', 4711, '1.0', '{mail,default}', '{k}', 8, clock_timestamp() + interval '1 hour')");
  }

  @Test
  void status_showsQueuesAndWorkers() {
    fill();
    var run = Run.dibs("status", "--database-url", database.url());
    assertThat(run.code()).isZero();
    assertThat(run.out().replaceAll(" +", " "))
        .contains(
            "QUEUE SCHEDULED BLOCKED PENDING OLDEST PROCESSING SUCCEEDED/MIN DEAD/MIN CANCELLED/MIN")
        .containsPattern("mail 0 0 3 1m 3\\ds 0 1 0 0")
        .containsPattern("box\uFFFD 4711 \\d+\\.\\ds 0/8 LIVE mail default 1.0");
  }

  @Test
  void status_ofAnEmptyDatabaseSaysSo() {
    var run = Run.dibs("status", "--database-url", database.url());
    assertThat(run.out()).contains("no tasks", "no workers");
  }

  @Test
  void json_isOneObject() {
    fill();
    var run = Run.dibs("status", "--json", "--database-url", database.url());
    var root = JsonMapper.shared().readTree(run.out());
    var queue = root.get("queues").get(0);
    assertThat(queue.get("queue").asString()).isEqualTo("mail");
    assertThat(queue.get("tasks").get("PENDING").asInt()).isEqualTo(3);
    assertThat(queue.get("oldestPendingSeconds").asDouble()).isGreaterThan(80);
    assertThat(queue.get("lastMinute").get("SUCCEEDED").asInt()).isEqualTo(1);
    assertThat(root.get("workers").get(0).get("concurrency").asInt()).isEqualTo(8);
  }

  @Test
  void watch_showsItAgainUntilInterrupted() throws Exception {
    var out = new StringWriter();
    var code = new AtomicInteger(-1);
    Shell shell =
        Run.shell("", out, new StringWriter(), Map.of("DIBS_DATABASE_URL", database.url()));
    var watching =
        Thread.ofPlatform().start(() -> code.set(Dibs.run(shell, "status", "--watch=0.05")));
    await().atMost(ofSeconds(20)).until(() -> out.toString().split("no workers", -1).length > 3);
    watching.interrupt();
    assertThat(watching.join(ofSeconds(20))).isTrue();
    assertThat(code).hasValue(1);
    assertThat(out.toString()).doesNotContain("\033");
  }

  @Test
  void watch_refusesANegativeInterval() {
    var run = Run.dibs("status", "--watch=-1", "--database-url", database.url());
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("was -1");
  }

  @Test
  void watch_goesOnAfterItsConnectionBroke() throws Exception {
    var out = new StringWriter();
    Shell shell =
        Run.shell("", out, new StringWriter(), Map.of("DIBS_DATABASE_URL", database.url()));
    var watching = Thread.ofPlatform().start(() -> Dibs.run(shell, "status", "--watch=0.01"));
    await().atMost(ofSeconds(20)).until(() -> out.toString().contains("no workers"));
    for (int i = 0; i < 20; i++) {
      database.execute(
          "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'dibs status' and datname = current_database()");
    }
    int before = out.toString().length();
    await().atMost(ofSeconds(20)).until(() -> out.toString().length() > before);
    watching.interrupt();
    assertThat(watching.join(ofSeconds(20))).isTrue();
  }

  @Test
  void brokenSchema_isNoBugOfDibs() {
    database.execute("drop table dibs.worker cascade");
    var run = Run.dibs("status", "--database-url", database.url());
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err())
        .startsWith("dibs: the status could not be read: ")
        .doesNotContain("bug")
        .hasLineCount(1);
  }
}
