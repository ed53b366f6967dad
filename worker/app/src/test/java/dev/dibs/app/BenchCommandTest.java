package dev.dibs.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.bench.Bench;
import dev.dibs.bench.BenchDatabase;
import dev.dibs.bench.Measurement;
import dev.dibs.sql.Schema;
import dev.dibs.testing.TestDatabase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@Timeout(180)
class BenchCommandTest {
  /** What each scenario says besides, if it has no rate of tasks. */
  private static final Map<String, String> FIGURES =
      Map.of(
          "latency",
          "p99_ratio",
          "bulk",
          "start_p99_ms",
          "idle",
          "queries_per_min",
          "startup",
          "first_claim_ms");

  private static final Map<String, Integer> RESULTS =
      Map.ofEntries(
          Map.entry("enqueue-single", 2),
          Map.entry("enqueue-coalesced", 2),
          Map.entry("enqueue-bulk", 3),
          Map.entry("drain", 2),
          Map.entry("steady", 2),
          Map.entry("latency", 2),
          Map.entry("backlog", 5),
          Map.entry("held-snapshot", 2),
          Map.entry("contention", 7),
          Map.entry("bulk", 2),
          Map.entry("idle", 3),
          Map.entry("startup", 2));

  static List<String> names() {
    return Bench.names();
  }

  @ParameterizedTest
  @MethodSource("names")
  void scenario_measuresAsOftenAsItSays(String scenario) throws Exception {
    try (TestDatabase server = TestDatabase.createEmpty();
        var database =
            new Database(DatabaseUrl.parse(server.url()), Schema.DEFAULT, "bench", () -> {});
        var db =
            new BenchDatabase(
                database.plain(Duration.ZERO),
                database.asTheDriverComes(Duration.ZERO),
                new Schema("tiny"));
        var processes = new BenchProcesses(database)) {
      var plan = new Bench.Plan(1_000, 1, List.of(2), true, processes);
      List<String> done = new ArrayList<>();
      List<Measurement> measured = new ArrayList<>();

      Bench.measure(
          scenario,
          db,
          plan,
          new Bench.Report() {
            @Override
            public void doing(String what) {
              done.add(what);
            }

            @Override
            public void measured(Measurement one) {
              measured.add(one);
            }
          });

      assertThat(done).hasSize(Bench.takes(scenario, plan));
      assertThat(measured).hasSize(RESULTS.getOrDefault(scenario, 0));
      assertThat(measured).allSatisfy(one -> assertSound(scenario, one));
    }
  }

  private static void assertSound(String scenario, Measurement one) {
    assertThat(one.setup().scenario()).isEqualTo(scenario);
    if (FIGURES.containsKey(scenario)) {
      assertThat(one.named().get(FIGURES.get(scenario))).isInstanceOf(Double.class);
      return;
    }
    if (one.setup().variant().equals("last tenth"))
      assertThat((Double) one.named().get("last_to_first")).isPositive();
    assertThat(one.pace().perSecond())
        .isPositive()
        .isBetween(one.pace().slowest(), one.pace().fastest());
    assertThat(one.limitPerSecond()).isPositive();
    if (scenario.equals("held-snapshot")) // a tenth may be over before anybody looks
    assertThat(one.cost().walBytes()).isNotNegative();
    else assertThat(one.cost().walBytes()).isPositive();
  }

  @Test
  void bench_printsALineAResultAndLeavesNothingBehind() {
    try (TestDatabase db = TestDatabase.createEmpty()) {
      Run run = bench(db, "enqueue-bulk", "--json");
      assertThat(run.code()).as(run.err()).isZero();
      List<JsonNode> results = run.out().lines().map(JsonMapper.shared()::readTree).toList();
      assertThat(results).hasSize(1);
      assertThat(results.getFirst().propertyNames())
          .containsExactly(
              "scenario",
              "variant",
              "tasks",
              "concurrency",
              "processes",
              "rounds",
              "seconds",
              "tasks_per_s",
              "min_tasks_per_s",
              "max_tasks_per_s",
              "p50_ms",
              "p99_ms",
              "wal_bytes_per_task",
              "commits_per_task",
              "limit_tasks_per_s",
              "ratio");
      assertThat(results.getFirst().path("scenario").asString()).isEqualTo("enqueue-bulk");
      assertThat(results.getFirst().path("ratio").asDouble()).isPositive();
      assertThat(results.getFirst().path("tasks").asInt()).isEqualTo(1_000);
      assertThat(db.number("select count(*) from pg_namespace where nspname like 'dibs%'"))
          .isZero();
    }
  }

  @Test
  void bench_printsATableForAPersonWhoIsNoSuperuser() {
    try (TestDatabase db = TestDatabase.createEmpty()) {
      String role = "dibs_bench_test_" + ProcessHandle.current().pid();
      db.execute("create role " + role + " login");
      try {
        db.execute(
            "do $$ begin execute format('grant create on database %I to "
                + role
                + "', current_database()); end $$");
        Run run = bench(db, "enqueue-bulk", "--database-user", role);
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out())
            .startsWith("SCENARIO")
            .contains("enqueue-bulk  one call")
            .contains("LIMIT/S");
        assertThat(run.out().lines()).hasSize(2);
      } finally {
        db.execute("drop owned by " + role);
        db.execute("drop role " + role);
      }
    }
  }

  private static Run bench(TestDatabase db, String... arguments) {
    List<String> all = new ArrayList<>(List.of("bench", "--database-url", db.url()));
    all.addAll(List.of("--tasks", "1000", "--rounds", "1"));
    all.addAll(List.of(arguments));
    return Run.dibs(all.toArray(String[]::new));
  }

  @Test
  void bench_refusesWhatItCannotMeasure() {
    assertThat(Run.dibs("bench", "everything").code()).isEqualTo(2);
    assertThat(Run.dibs("bench", "everything").err()).contains("'everything'", "held-snapshot");
    assertThat(Run.dibs("bench").code()).isEqualTo(2);
    try (TestDatabase db = TestDatabase.createEmpty()) {
      for (String option : List.of("--tasks=999", "--rounds=0", "--processes=1,0")) {
        Run run = Run.dibs("bench", "idle", "--database-url", db.url(), option);
        assertThat(run.code()).as(option).isEqualTo(2);
        assertThat(run.err()).contains(option.replaceFirst("=.*", "")).contains("must be at least");
      }
    }
  }

  @Test
  void help_namesAllScenarios() {
    String help = Run.dibs("bench", "--help").out().replaceAll("\\s+", " ");
    assertThat(Bench.names()).isNotEmpty().allSatisfy(name -> assertThat(help).contains(name));
  }
}
