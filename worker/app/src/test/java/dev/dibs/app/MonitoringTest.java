package dev.dibs.app;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.producer.Producer;
import dev.dibs.testing.TestDatabase;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The rules and the dashboard that are shipped, in a real Prometheus that scrapes a real worker.
 */
@Timeout(120)
class MonitoringTest {
  private static final Path SHIPPED = Path.of("src/main/monitoring");
  private static final List<String> ALERTS =
      List.of(
          "DibsTasksWaitTooLong",
          "DibsNoWorkerForQueue",
          "DibsTasksDead",
          "DibsTasksQuarantined",
          "DibsRescues",
          "DibsOldSnapshot",
          "DibsWorkerDown");

  @TempDir Path directory;

  @Test
  void rules_areValidAndFireAtTheirOwnThresholds() throws Exception {
    copy("prometheus.yaml");
    copy("prometheus-rules.yaml");
    Files.copy(
        Path.of("src/test/resources/monitoring/prometheus-rules.test.yaml"),
        directory.resolve("prometheus-rules.test.yaml"));
    assertThat(Prometheus.promtool(directory, "check", "config", "prometheus.yaml"))
        .contains("SUCCESS");
    assertThat(Prometheus.promtool(directory, "check", "rules", "prometheus-rules.yaml"))
        .contains("11 rules found");
    assertThat(Prometheus.promtool(directory, "test", "rules", "prometheus-rules.test.yaml"))
        .contains("SUCCESS");
  }

  private void copy(String file) throws IOException {
    Files.copy(SHIPPED.resolve(file), directory.resolve(file));
  }

  @Test
  void aStagedIncident_firesTheAlertsAndEveryQueryReturnsSomething() throws Exception {
    try (var db = TestDatabase.create();
        var producer = Producer.on(db.dataSource())) {
      var out = new StringWriter();
      var err = new StringWriter();
      String[] args = {
        "worker",
        "--database-url",
        db.url(),
        "--admin-port=0",
        "--admin-interval=250ms",
        "--lease=3s",
        "--queue=default=4,mail=2"
      };
      var worker = new FutureTask<>(() -> Dibs.run(Run.shell("", out, err, Map.of()), args));
      Thread thread = Thread.ofPlatform().start(worker);
      try {
        await().atMost(ofSeconds(30)).until(() -> out.toString().endsWith("\n"));
        configure(out.toString().replaceFirst("(?s).* admin http://(\\S+)\n", "$1"));
        try (var prometheus = new Prometheus(directory)) {
          await().atMost(ofSeconds(30)).until(prometheus::isReady);
          watch(db, producer, prometheus);
        }
      } finally {
        thread.interrupt();
      }
      assertThat(worker.get(30, TimeUnit.SECONDS)).as(err.toString()).isEqualTo(1);
    }
  }

  /** Everything happens in seconds here; what is compared is what is shipped otherwise. */
  private void configure(String target) throws IOException {
    Files.writeString(
        directory.resolve("prometheus.yaml"),
        Files.readString(SHIPPED.resolve("prometheus.yaml"))
            .replace("interval: 10s", "interval: 500ms")
            .replace("worker-1:9400", target)
            .replace("worker-2:9400", "127.0.0.1:" + Prometheus.freePort()));
    Files.writeString(
        directory.resolve("prometheus-rules.yaml"),
        Files.readString(SHIPPED.resolve("prometheus-rules.yaml"))
            .replaceAll("for: \\d+m", "for: 1s")
            .replace("snapshot_age_seconds) > 900", "snapshot_age_seconds) > 2"));
  }

  private void watch(TestDatabase db, Producer producer, Prometheus prometheus) throws Exception {
    String dead =
        "dibs_tasks_finished_total{outcome=\"dead\", kind=\"exec\", queue=\"default\"} == 0";
    await()
        .atMost(ofSeconds(30))
        .pollInterval(ofMillis(200))
        .until(() -> !prometheus.query(dead).isEmpty());
    try (Connection old = db.connect()) {
      stageIncident(db, producer, old);
      await()
          .atMost(ofSeconds(40))
          .pollInterval(ofMillis(500))
          .untilAsserted(() -> assertThat(prometheus.firing()).containsAll(ALERTS));
      for (String expression : dashboard())
        await()
            .alias(expression)
            .atMost(ofSeconds(20))
            .pollInterval(ofMillis(200))
            .until(() -> !prometheus.query(expression).isEmpty());
    }
    List<JsonNode> rules = prometheus.rules();
    assertThat(rules).hasSize(11);
    for (JsonNode rule : rules) {
      assertThat(rule.path("health").asString()).as(rule.toString()).isEqualTo("ok");
      assertThat(rule.path("annotations").path("runbook").asString()).hasSizeGreaterThan(80);
      // Also of what does not fire here: that it is silent must not be for want of data.
      for (String metric : metrics(rule.path("query").asString()))
        await()
            .alias(metric)
            .atMost(ofSeconds(20)) // a scrape that was too slow makes all go for a moment
            .pollInterval(ofMillis(200))
            .until(() -> !prometheus.query(metric).isEmpty());
    }
  }

  private static List<String> metrics(String expression) {
    return Pattern.compile("\\bdibs_\\w+|\\bup\\b")
        .matcher(expression)
        .results()
        .map(MatchResult::group)
        .distinct()
        .toList();
  }

  private static void stageIncident(TestDatabase db, Producer producer, Connection old)
      throws SQLException {
    old.setAutoCommit(false);
    old.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    try (var statement = old.createStatement()) {
      statement.execute("select 1");
    }
    List<NewTask<Json>> noops = new ArrayList<>();
    for (int i = 0; i < 300; i++)
      noops.add(Kind.json("noop").task(new Json("{}")).queue(i % 3 == 0 ? "mail" : "default"));
    producer.enqueue(noops);
    producer.enqueue(Kind.json("exec").task(new Json("{\"command\":[\"/bin/forbidden\"]}")));
    producer.enqueue(Kind.json("noop").task(new Json("{}")).queue("nobody"));
    db.execute("update dibs.task set run_at = now() - interval '1 hour' where queue = 'nobody'");
    UUID gone = UUID.randomUUID();
    db.execute(
        "insert into dibs.worker (id, host, pid, version, queues, kinds, concurrency, lease_until)"
            + " values (?, 'gone', 1, 'x', '{default}', '{noop}', 8, now() - interval '1 hour')",
        gone);
    db.execute(
        "insert into dibs.task (id, kind, status, attempt, losses, lease, worker_id)"
            + " select gen_random_uuid(), 'noop', 'PROCESSING', 1, case when n > 60 then 2 else 0 end, gen_random_uuid(), ?"
            + " from generate_series(1, 62) n",
        gone);
  }

  /** All that the dashboard asks, for every job and queue. */
  private static List<String> dashboard() throws IOException {
    JsonNode dashboard =
        JsonMapper.shared().readTree(Files.readString(SHIPPED.resolve("grafana-dashboard.json")));
    List<String> expressions = new ArrayList<>();
    for (JsonNode panel : dashboard.path("panels"))
      for (JsonNode target : panel.path("targets"))
        expressions.add(
            target
                .path("expr")
                .asString()
                .replace("$__rate_interval", "30s")
                .replace("$queue", ".*")
                .replace("$job", ".*"));
    assertThat(expressions).hasSizeGreaterThan(30);
    assertThat(expressions).noneMatch(expression -> expression.contains("$"));
    return expressions;
  }

  @Test
  void everyMeterTheRulesAndTheDashboardAskFor_isInTheReadme() throws IOException {
    String readme = Files.readString(Path.of("../engine/README.md"));
    String rules = Files.readString(SHIPPED.resolve("prometheus-rules.yaml"));
    List<String> asked =
        Stream.concat(dashboard().stream(), rules.lines().filter(line -> !line.contains("runbook")))
            .flatMap(line -> metrics(line).stream())
            .filter(metric -> !metric.equals("up"))
            .map(metric -> metric.replaceFirst("_(total|seconds(_\\w+)?|sum|count)$", ""))
            .map(metric -> metric.replaceFirst("_seconds$", "").replace('_', '.'))
            .distinct()
            .toList();
    assertThat(asked).hasSizeGreaterThan(12);
    assertThat(asked)
        .allSatisfy(meter ->
            assertThat(readme)
                .containsAnyOf("`" + meter + "`", "`." + meter.replaceFirst(".*\\.", "") + "`"));
  }
}
