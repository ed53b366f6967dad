package dev.dibs.app;

import dev.dibs.bench.Bench;
import dev.dibs.bench.BenchDatabase;
import dev.dibs.bench.Measurement;
import dev.dibs.sql.Schema;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashSet;
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
          "all, or some of: enqueue-single, enqueue-coalesced, enqueue-bulk, drain, steady, latency, backlog,"
              + " held-snapshot, contention, bulk, idle, startup")
  List<String> scenarios = new ArrayList<>();

  @Option(
      names = "--tasks",
      paramLabel = "N",
      defaultValue = "100000",
      description =
          "Tasks a drain; all other sizes grow and shrink with it: backlogs of up to a hundred times as many.")
  int tasks;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "3",
      description = "Rounds; the median counts.")
  int rounds;

  @Option(
      names = "--processes",
      paramLabel = "N",
      split = ",",
      defaultValue = "1,4",
      description = "Drain by so many processes; 1 is this one. Repeatable.")
  List<Integer> processes = new ArrayList<>();

  @Option(names = "--unique", description = "Enqueue a bulk with unique keys too.")
  boolean unique;

  @Option(names = "--json", description = "Print one JSON object a result.")
  boolean json;

  BenchCommand(Shell shell) {
    this.shell = shell;
  }

  @Override
  public Integer call() throws Exception {
    List<String> wanted = wanted();
    try (Database database =
            options.url == null
                ? options.startPrivate(shell, "bench")
                : options.find(shell, "bench");
        var own = new OwnSchema(database, shell, schemaName());
        var db =
            new BenchDatabase(
                database.plain(Duration.ZERO),
                database.asTheDriverComes(Duration.ZERO),
                new Schema(own.name()));
        var processes = new BenchProcesses(database)) {
      measure(wanted, db, plan(processes));
    }
    return 0;
  }

  private static String schemaName() {
    return "dibs_bench_" + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt(), 6);
  }

  private void measure(List<String> wanted, BenchDatabase db, Bench.Plan plan) throws Exception {
    var table = new BenchTable();
    int takes = wanted.stream().mapToInt(scenario -> Bench.takes(scenario, plan)).sum();
    try (var progress = ProgressBar.on(shell, "measuring", takes)) {
      int[] taken = {0};
      for (String scenario : wanted) {
        Bench.measure(
            scenario,
            db,
            plan,
            new Bench.Report() {
              @Override
              public void doing(String what) {
                progress.reach(taken[0]++, scenario + ": " + what);
              }

              @Override
              public void measured(Measurement one) {
                progress.wipe();
                if (json) shell.out().println(JsonMapper.shared().writeValueAsString(one.named()));
                else table.add(one);
              }
            });
      }
    } finally {
      // What was measured before something failed is worth as much.
      if (!json) table.lines().forEach(shell.out()::println);
    }
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
    return List.copyOf(new LinkedHashSet<>(scenarios));
  }

  private Bench.Plan plan(BenchProcesses started) {
    try {
      return new Bench.Plan(tasks, rounds, processes, unique, started);
    } catch (IllegalArgumentException e) {
      throw new UsageException("--" + e.getMessage());
    }
  }
}
