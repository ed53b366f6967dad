package dev.dibs.app;

import dev.dibs.bench.Bench;
import dev.dibs.bench.BenchDatabase;
import dev.dibs.bench.Measurement;
import dev.dibs.sql.Schema;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.json.JsonMapper;

/** {@code dibs bench}: what this machine and this database can do. */
@Command(
    name = "bench",
    description = {
      "Measure Dibs on a database, beside what plain JDBC does with the same rows.",
      "Works in a schema of its own, which it drops. Not for a database that others wait for."
    })
final class BenchCommand implements Callable<Integer> {
  private final Shell shell;

  @Mixin DatabaseOptions options = new DatabaseOptions();

  @Parameters(
      arity = "1..*",
      paramLabel = "SCENARIO",
      description =
          "all, or some of: enqueue-single, enqueue-bulk, drain, latency, backlog, held-snapshot, idle")
  List<String> scenarios = new ArrayList<>();

  @Option(
      names = "--tasks",
      paramLabel = "N",
      defaultValue = "100000",
      description = "Tasks a round.")
  int tasks;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "3",
      description = "Rounds; the median counts.")
  int rounds;

  @Option(names = "--json", description = "Print one JSON object a result.")
  boolean json;

  BenchCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws Exception {
    List<String> wanted = wanted();
    String schema =
        "dibs_bench_" + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt(), 6);
    try (Database database =
            options.url == null
                ? options.startPrivate(shell, "bench")
                : options.find(shell, "bench");
        var db = new BenchDatabase(database.plain(Duration.ZERO), new Schema(schema))) {
      Bench.Plan plan = plan(database);
      var table =
          new TextTable(
              "SCENARIO",
              "VARIANT",
              "TASKS",
              "PROCESSES",
              "TASKS/S",
              "SPREAD",
              "LIMIT/S",
              "RATIO",
              "P50 MS",
              "P99 MS",
              "WAL B/TASK",
              "COMMITS/TASK");
      for (String scenario : wanted) {
        try (var progress = ProgressBar.on(shell, scenario, 0)) {
          for (Measurement one :
              Bench.measure(scenario, db, plan, what -> progress.reach(0, what))) {
            if (json) shell.out().println(JsonMapper.shared().writeValueAsString(one.named()));
            else add(table, one);
          }
        }
      }
      if (!json) table.lines().forEach(shell.out()::println);
    }
    return 0;
  }

  private List<String> wanted() {
    if (scenarios.contains("all")) return Bench.names();
    for (String scenario : scenarios) {
      if (!Bench.names().contains(scenario)) {
        throw new UsageException(
            "there is no scenario '%s', only all, %s"
                .formatted(scenario, String.join(", ", Bench.names())));
      }
    }
    return scenarios;
  }

  private Bench.Plan plan(Database database) {
    try {
      return new Bench.Plan(
          tasks,
          rounds,
          (db, processes, concurrency) -> startWorkers(database, db, processes, concurrency));
    } catch (IllegalArgumentException e) {
      throw new UsageException("--" + e.getMessage());
    }
  }

  /** Real worker processes, started as anybody would start them. */
  private static AutoCloseable startWorkers(
      Database database, BenchDatabase db, int processes, int concurrency) throws IOException {
    List<Process> started = new ArrayList<>();
    Runnable kill = () -> started.forEach(Process::destroyForcibly);
    AtExit.add(kill);
    for (int i = 0; i < processes; i++) {
      var arguments =
          List.of("worker", "--schema=" + db.schema().name(), "--queue=bench=" + concurrency);
      started.add(DibsProcess.of(database, arguments).start());
    }
    return () -> {
      started.forEach(Process::destroy);
      for (Process process : started) process.waitFor();
      AtExit.remove(kill);
    };
  }

  private static void add(TextTable table, Measurement one) {
    table.add(
        one.setup().scenario(),
        one.setup().variant(),
        one.setup().tasks(),
        one.setup().processes(),
        cell(one.pace().perSecond(), 0),
        cell(one.pace().spread(), 2),
        cell(one.limitPerSecond(), 0),
        cell(one.ratio(), 2),
        cell(one.pace().p50Ms(), 2),
        cell(one.pace().p99Ms(), 2),
        cell(one.cost().walBytes(), 0),
        cell(one.cost().commits(), 4));
  }

  private static Object cell(double value, int decimals) {
    return Double.isFinite(value)
        ? new java.math.BigDecimal(value).setScale(decimals, java.math.RoundingMode.HALF_UP)
        : "";
  }
}
