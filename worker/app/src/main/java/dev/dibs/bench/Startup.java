package dev.dibs.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A real {@code dibs worker} with a heap of 64 MiB: from the start of its process to its first
 * claim, by the database's clock, and the memory it holds after 20,000 tasks. Once as it comes,
 * once from the cache of a process before it.
 */
final class Startup implements Scenario {
  private static final int HEAP_MEBIBYTES = 64;
  private static final int CONCURRENCY = 20;
  private static final int USUAL_TASKS = 20_000;
  private static final double KIBIBYTES = 1024;

  @Override
  public String name() {
    return "startup";
  }

  @Override
  public int takes(Bench.Plan plan) {
    return 1 + 2 * plan.rounds();
  }

  /** One start. */
  private record Start(double claimedAfterMs, double residentMib, double peakMib) {}

  @Override
  public void measure(BenchDatabase db, Bench.Plan plan, Bench.Report report) throws Exception {
    try (var cache = new AotCache()) {
      report.doing("writing a cache");
      start(db, plan, cache.writing());
      String heap = "heap of " + HEAP_MEBIBYTES + " MiB";
      report.measured(measure(db, plan, report, heap, List.of()));
      report.measured(measure(db, plan, report, heap + ", from a cache", cache.using()));
    }
  }

  private Measurement measure(
      BenchDatabase db,
      Bench.Plan plan,
      Bench.Report report,
      String variant,
      List<String> jvmOptions)
      throws Exception {
    List<Start> starts = new ArrayList<>();
    for (int i = 1; i <= plan.rounds(); i++) {
      report.doing(variant + ", start " + i);
      starts.add(start(db, plan, jvmOptions));
    }
    Map<String, Double> also = new LinkedHashMap<>();
    spread(starts.stream().mapToDouble(Start::claimedAfterMs).toArray(), also, "first_claim_ms");
    spread(starts.stream().mapToDouble(Start::residentMib).toArray(), also, "rss_mib");
    spread(starts.stream().mapToDouble(Start::peakMib).toArray(), also, "peak_rss_mib");
    int tasks = plan.sized(USUAL_TASKS);
    var setup = new Measurement.Setup(name(), variant, tasks, CONCURRENCY, 1, plan.rounds());
    return Measurement.of(setup, Measurement.Times.UNKNOWN, also);
  }

  private static void spread(double[] values, Map<String, Double> also, String name) {
    Spread.of(values).into(also, name);
  }

  private static Start start(BenchDatabase db, Bench.Plan plan, List<String> jvmOptions)
      throws Exception {
    int tasks = plan.sized(USUAL_TASKS);
    db.reset(true);
    db.fill(tasks);
    double before = db.number("select extract(epoch from clock_timestamp())");
    var order = new Bench.Order(1, CONCURRENCY, HEAP_MEBIBYTES, jvmOptions);
    try (Bench.Started started = plan.workers().start(db, order)) {
      Await.until("the worker's end of " + tasks, () -> db.tasks() == 0);
      Confirm.finished(db, tasks, true);
      double claimed = db.number("select extract(epoch from min(claimed_at)) from $task_history");
      long pid = started.pids().getFirst();
      return new Start((claimed - before) * 1e3, mebibytes(pid, "VmRSS"), mebibytes(pid, "VmHWM"));
    }
  }

  /** What the kernel says of a process; not a number where it is no Linux. */
  private static double mebibytes(long pid, String name) throws IOException {
    Path status = Path.of("/proc/" + pid + "/status");
    if (!Files.isReadable(status)) return Double.NaN;
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith(name + ":"))
        .mapToDouble(line -> Double.parseDouble(line.replaceAll("[^0-9]", "")) / KIBIBYTES)
        .findFirst()
        .orElse(Double.NaN);
  }
}
