package dev.dibs.bench;

import dev.dibs.bench.Measurement.Times;
import dev.dibs.producer.Producer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * From the commit of an enqueue to the start of its handler, a task every 50 ms: on an idle
 * process, and on one that is kept busy with half of what it can drain; beside a bare NOTIFY under
 * the same load. The process is a warm one, as one that waits for tasks mostly is.
 */
final class Latency implements Scenario {
  private static final int USUAL_PROBES = 200;
  private static final int FEWEST_PROBES = 10;
  private static final double HALF = 0.5;
  private static final int WARM_UP = 2;

  /** Of a round. */
  private static final int TAKES = 3;

  @Override
  public String name() {
    return "latency";
  }

  @Override
  public int takes(Bench.Plan plan) {
    return WARM_UP + 1 + 2 * TAKES * plan.rounds();
  }

  @Override
  public void measure(BenchDatabase db, Bench.Plan plan, Bench.Report report) throws Exception {
    int probes = Math.max(FEWEST_PROBES, plan.sized(USUAL_PROBES));
    Drain.warmUp(db, plan, report);
    report.measured(measured("idle", 0, rounds(db, plan, report, 0, probes), probes));
    report.doing("drain, to know half of it");
    double drained = Drain.byThisProcess(db, new Drain.Load(plan.tasks(), true)).perSecond();
    List<Round> busy = rounds(db, plan, report, drained * HALF, probes);
    report.measured(measured("half load", drained * HALF, busy, probes));
  }

  /** Probes, notifications under the same load, and the load. */
  private record Round(Times probes, Notified notified, double load, double left) {}

  /** By connections as the driver makes them, and by such as ours. */
  private record Notified(Times unaided, Times prompt) {}

  private static List<Round> rounds(
      BenchDatabase db, Bench.Plan plan, Bench.Report report, double load, int probes)
      throws Exception {
    List<Round> rounds = new ArrayList<>();
    for (int i = 0; i < plan.rounds(); i++) {
      db.reset(true);
      try (var probe = new Probe(db);
          Producer loading = probe.producerOfLoad();
          Stream stream = load > 0 ? new Stream(loading, load) : null) {
        String under = load > 0 ? " under load" : "";
        report.doing("bare NOTIFY" + under);
        Times unaided = Percentiles.of(NotifyEcho.nanos(db, db.unaided(), probes, Probe.EVERY));
        report.doing("bare NOTIFY on our sockets" + under);
        Times prompt = Percentiles.of(NotifyEcho.nanos(db, db.dataSource(), probes, Probe.EVERY));
        report.doing("enqueue to handler" + under);
        Times handled = Percentiles.of(probe.nanos(probes));
        double reached = stream == null ? 0 : stream.end();
        double left = (double) db.tasks();
        Await.until("the load's end", () -> db.tasks() == 0);
        rounds.add(new Round(handled, new Notified(unaided, prompt), reached, left));
      }
    }
    return rounds;
  }

  private Measurement measured(String variant, double load, List<Round> rounds, int probes) {
    Map<String, Double> also = new LinkedHashMap<>();
    Spread p50 = spread(rounds, round -> round.probes().p50Ms());
    Spread p99 = spread(rounds, round -> round.probes().p99Ms());
    Spread limit50 = spread(rounds, round -> round.notified().unaided().p50Ms());
    Spread limit99 = spread(rounds, round -> round.notified().unaided().p99Ms());
    also.put("min_p50_ms", p50.least());
    also.put("max_p50_ms", p50.most());
    also.put("min_p99_ms", p99.least());
    also.put("max_p99_ms", p99.most());
    limit50.into(also, "notify_p50_ms");
    limit99.into(also, "notify_p99_ms");
    also.put("p50_ratio", p50.median() / limit50.median());
    also.put("p99_ratio", p99.median() / limit99.median());
    spread(rounds, round -> round.notified().prompt().p50Ms()).into(also, "prompt_notify_p50_ms");
    spread(rounds, round -> round.notified().prompt().p99Ms()).into(also, "prompt_notify_p99_ms");
    also.put("wanted_load_per_s", load);
    also.put("load_per_s", spread(rounds, Round::load).median());
    also.put("left_at_end", spread(rounds, Round::left).most());
    var setup =
        new Measurement.Setup(name(), variant, probes, InProcess.CONCURRENCY, 1, rounds.size());
    return Measurement.of(setup, new Times(p50.median(), p99.median()), also);
  }

  private static Spread spread(List<Round> rounds, ToDoubleFunction<Round> figure) {
    return Spread.of(rounds.stream().mapToDouble(figure).toArray());
  }
}
