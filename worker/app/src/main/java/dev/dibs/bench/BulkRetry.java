package dev.dibs.bench;

import dev.dibs.BulkChange;
import dev.dibs.BulkOrder;
import dev.dibs.BulkPreview;
import dev.dibs.BulkRow;
import dev.dibs.DibsException;
import dev.dibs.Request;
import dev.dibs.TaskFilter;
import dev.dibs.TaskStatus;
import dev.dibs.bench.Measurement.Times;
import dev.dibs.operations.BulkDrive;
import dev.dibs.operations.Bulks;
import dev.dibs.producer.Producer;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.distribution.DistributionStatisticConfig;
import io.micrometer.core.instrument.distribution.ValueAtPercentile;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A million dead tasks retried by filter, previewed, interrupted and resumed, beside a live queue:
 * how long the live queue's claims take with the bulk and without it, and how fast the bulk is. The
 * dead are of a queue that nobody serves, so that the claims are disturbed by the bulk alone.
 */
final class BulkRetry implements Scenario {
  private static final int USUAL_DEAD = 1_000_000;
  private static final int USUAL_PROBES = 400;
  private static final int FEWEST_PROBES = 20;
  private static final double LOAD_PER_SECOND = 1_000;
  private static final int LARGEST_FILL = 100_000;
  private static final double INTERRUPTED_AT = 0.4;
  private static final String CLAIM = "dibs.claim.duration";

  @Override
  public String name() {
    return "bulk";
  }

  @Override
  public int takes(Bench.Plan plan) {
    return 3 * plan.rounds();
  }

  /** How long claims took, and starts. */
  private record Claims(Times claims, Times starts) {}

  /** What the bulk came to. */
  private record Done(double perSecond, double previewMs, double interruptMs) {}

  private record Round(Claims alone, Claims beside, Done bulk) {}

  @Override
  public void measure(BenchDatabase db, Bench.Plan plan, Bench.Report report) throws Exception {
    int dead = plan.sized(USUAL_DEAD);
    int probes = Math.max(FEWEST_PROBES, plan.sized(USUAL_PROBES));
    List<Round> rounds = new ArrayList<>();
    for (int i = 0; i < plan.rounds(); i++) {
      report.doing("filling");
      db.reset(true);
      db.execute("truncate $bulk cascade");
      bury(db, dead);
      report.doing("claims alone");
      Claims alone = claims(db, () -> probes);
      report.doing("claims beside the bulk");
      rounds.add(beside(db, dead, alone));
    }
    report.measured(measured("claims alone", dead, rounds, false));
    report.measured(measured("claims beside the bulk", dead, rounds, true));
  }

  private static void bury(BenchDatabase db, int dead) {
    for (int from = 0; from < dead; from += LARGEST_FILL)
      db.execute(
          """
          insert into $task_history (id, created_at, run_at, finished_at, status, priority, attempt, failures, losses,
            max_attempts, queue, kind, payload, errors)
          select gen_random_uuid(), now(), now(), now() - n * interval '1 ms', 'DEAD', 3, 25, 25, 0, 25, 'rescue', 'noop',
            ('{"n": ' || n || ', "pad": "' || repeat('x', 80) || '"}')::jsonb,
            '[{"class": "SmtpException", "message": "451 greylisted", "attempt": 25}]'
          from generate_series(%d, %d) n\
          """
              .formatted(from + 1, Math.min(dead, from + LARGEST_FILL)));
    db.execute("vacuum analyze $task_history");
  }

  /** How many probes, or 0 for none more. */
  private interface Wanted {
    int probes();
  }

  private static Claims claims(BenchDatabase db, Wanted wanted) throws Exception {
    var meters = new SimpleMeterRegistry();
    meters.config().meterFilter(percentiles());
    List<Long> starts = new ArrayList<>();
    try (var probe = new Probe(db, meters);
        Producer loading = probe.producerOfLoad();
        Stream stream = new Stream(loading, LOAD_PER_SECOND)) {
      probe.nanos(1);
      while (starts.size() < wanted.probes()) starts.add(probe.next(starts.size()));
      stream.end();
      Await.until(
          "the load's end",
          () -> db.number("select count(*) from $task where queue = 'bench'") == 0);
    }
    Timer timer = meters.get(CLAIM).timer();
    return new Claims(
        times(timer), Percentiles.of(starts.stream().mapToLong(Long::longValue).toArray()));
  }

  private static MeterFilter percentiles() {
    return new MeterFilter() {
      @Override
      public DistributionStatisticConfig configure(
          Meter.Id id, DistributionStatisticConfig config) {
        if (!id.getName().equals(CLAIM)) return config;
        return DistributionStatisticConfig.builder()
            .percentiles(0.5, 0.99)
            .percentilesHistogram(false)
            .expiry(Duration.ofHours(2))
            .bufferLength(1)
            .build()
            .merge(config);
      }
    };
  }

  private static Times times(Timer timer) {
    ValueAtPercentile[] values = timer.takeSnapshot().percentileValues();
    return new Times(
        values[0].value(TimeUnit.MILLISECONDS), values[1].value(TimeUnit.MILLISECONDS));
  }

  private static Round beside(BenchDatabase db, int dead, Claims alone) throws Exception {
    var ended = new AtomicBoolean();
    var bulk =
        CompletableFuture.supplyAsync(() -> {
          try {
            return retry(db, dead);
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          } finally {
            ended.set(true);
          }
        });
    Claims beside = claims(db, () -> ended.get() ? 0 : Integer.MAX_VALUE);
    Done done = bulk.get();
    confirm(db, dead);
    return new Round(alone, beside, done);
  }

  private static Done retry(BenchDatabase db, int dead) throws InterruptedException {
    var bulks = Bulks.on(db.dataSource(), db.schema());
    var order =
        BulkOrder.of(
            TaskFilter.of(TaskStatus.DEAD).queue("rescue"), new BulkChange.Retry(Duration.ZERO));
    long began = System.nanoTime();
    BulkPreview preview = bulks.preview(order);
    double previewMs = millisSince(began);
    BulkDrive drive = granted(bulks.start(preview, request()));
    began = System.nanoTime();
    var interruptMs = new double[1];
    BulkRow stopped =
        drive.run(row -> {
          boolean isTime = row.progress().done() >= dead * INTERRUPTED_AT;
          if (row.status() == BulkRow.Status.RUNNING && isTime) {
            long asked = System.nanoTime();
            bulks.interrupt(row.id(), request());
            interruptMs[0] = millisSince(asked);
          }
        });
    if (stopped.status() != BulkRow.Status.STOPPED)
      throw new DibsException("the bulk was not interrupted, it is " + stopped.status());
    BulkRow row = granted(bulks.resume(drive.id(), request())).run(each -> {});
    double seconds = millisSince(began) / 1e3;
    if (row.status() != BulkRow.Status.DONE || row.progress().done() != dead)
      throw new DibsException("the bulk is %s: %s".formatted(row.status(), row.progress()));
    return new Done(dead / seconds, previewMs, interruptMs[0]);
  }

  private static Request request() {
    return Request.of("bench", "bench", "to see what it costs");
  }

  private static BulkDrive granted(Bulks.Begun begun) {
    return begun.drive().orElseThrow(() -> new DibsException(begun.message()));
  }

  private static double millisSince(long began) {
    return (double) (System.nanoTime() - began) / 1e6;
  }

  /** Each is alive once, and none is dead. */
  private static void confirm(BenchDatabase db, int dead) {
    double alive = db.number("select count(*) from $task where queue = 'rescue'");
    double changed = db.number("select sum(cardinality(changed)) from $bulk_batch");
    double left = db.number("select count(*) from $task_history where queue = 'rescue'");
    if (alive != dead || changed != dead || left != 0)
      throw new DibsException(
          "of %d dead tasks %.0f are alive, %.0f are said to be and %.0f are dead"
              .formatted(dead, alive, changed, left));
  }

  private Measurement measured(String variant, int dead, List<Round> rounds, boolean beside) {
    Map<String, Double> also = new LinkedHashMap<>();
    List<Claims> claims = rounds.stream().map(r -> beside ? r.beside() : r.alone()).toList();
    Spread p50 = Spread.of(claims.stream().mapToDouble(c -> c.claims().p50Ms()).toArray());
    Spread p99 = Spread.of(claims.stream().mapToDouble(c -> c.claims().p99Ms()).toArray());
    also.put(
        "start_p50_ms",
        Spread.of(claims.stream().mapToDouble(c -> c.starts().p50Ms()).toArray()).median());
    also.put(
        "start_p99_ms",
        Spread.of(claims.stream().mapToDouble(c -> c.starts().p99Ms()).toArray()).median());
    if (beside) {
      also.put(
          "p99_ratio",
          Spread.of(
                  rounds.stream()
                      .mapToDouble(r -> r.beside().claims().p99Ms() / r.alone().claims().p99Ms())
                      .toArray())
              .median());
      Spread.of(rounds.stream().mapToDouble(r -> r.bulk().perSecond()).toArray())
          .into(also, "bulk_tasks_per_s");
      also.put("preview_ms", rounds.getFirst().bulk().previewMs());
      also.put("interrupt_ms", rounds.getFirst().bulk().interruptMs());
    }
    var setup =
        new Measurement.Setup(name(), variant, dead, InProcess.CONCURRENCY, 1, rounds.size());
    return Measurement.of(setup, new Times(p50.median(), p99.median()), also);
  }
}
