package dev.dibs.worker;

import static java.time.Duration.ofHours;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.Labels;
import dev.dibs.NewTask;
import dev.dibs.Outcome;
import dev.dibs.Priority;
import dev.dibs.Rhythm;
import dev.dibs.Schedule;
import dev.dibs.Task;
import dev.dibs.producer.Canceller;
import dev.dibs.producer.CoalescingProducer;
import dev.dibs.producer.CoalescingSettings;
import dev.dibs.producer.Producer;
import dev.dibs.producer.ProducerSettings;
import dev.dibs.testing.TestDatabase;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/** What the meters say, compared with what the database says. */
@Timeout(90)
class MetersTest {
  private static final WorkerSettings QUICK =
      WorkerSettings.DEFAULT.withLease(ofSeconds(1)).withPollInterval(ofMillis(200));

  /** What a handler does is written in the payload. */
  private static final Kind<Json> WORK = Kind.json("work");

  private static final Kind<Json> FOLLOW_UP = Kind.json("follow-up");

  private final TestDatabase db = TestDatabase.create();
  private final List<SimpleMeterRegistry> registries =
      List.of(new SimpleMeterRegistry(), new SimpleMeterRegistry(), new SimpleMeterRegistry());
  private final ProducerSettings settings =
      ProducerSettings.DEFAULT.withMetrics(registries.getFirst());
  private final Producer producer = Producer.on(db.dataSource(), settings);
  private final List<Worker> workers = new ArrayList<>();
  private final CountDownLatch never = new CountDownLatch(1);

  @AfterEach
  void stop() {
    workers.forEach(worker -> worker.stop(Duration.ZERO));
    producer.close();
    db.close();
  }

  private Worker start(SimpleMeterRegistry registry) {
    Worker worker =
        Worker.on(db.dataSource())
            .queue("q", 16)
            .handle(WORK, this::work)
            .handle(FOLLOW_UP, (payload, task) -> Outcome.done())
            .schedule(
                Schedule.of(
                    "tick", Rhythm.every(ofSeconds(1)), FOLLOW_UP.task(json("x")).queue("q")))
            .metrics(registry)
            .settings(QUICK)
            .start();
    workers.add(worker);
    return worker;
  }

  private Outcome work(Json payload, RunningTask task) throws Exception {
    boolean first = task.attempt() == 1;
    return switch (payload.text()) {
      case "\"retry\"" -> first ? Outcome.retry(ofMillis(1), "once more") : Outcome.done();
      case "\"throw\"" -> throw new IllegalStateException("no use");
      case "\"snooze\"" -> first ? Outcome.snooze(ofMillis(1)) : Outcome.done();
      case "\"dead\"" -> Outcome.dead("hopeless");
      case "\"cancel\"" -> Outcome.cancel("not wanted");
      case "\"hang\"" -> {
        never.await();
        yield Outcome.done();
      }
      case "\"transaction\"" -> {
        task.transaction(tx -> tx.enqueue(FOLLOW_UP.task(json("y")).queue("q")));
        yield Outcome.done();
      }
      case "\"rolled back\"" -> {
        if (first) enqueueAndFail(task);
        yield Outcome.done();
      }
      case "\"lost\"" -> {
        if (first) rescueByHand(task.id());
        yield Outcome.done();
      }
      default -> Outcome.done();
    };
  }

  private static void enqueueAndFail(RunningTask task) throws Exception {
    task.transaction(tx -> {
      tx.enqueue(FOLLOW_UP.task(json("z")).queue("q"));
      throw new IllegalStateException("after all not");
    });
  }

  /** As a rescuer would that took this process for dead. */
  private void rescueByHand(UUID id) {
    db.execute(
        "update dibs.task set status = 'PENDING', lease = null, worker_id = null, losses = losses + 1,"
            + " position = nextval('dibs.task_position') where id = ?",
        id);
  }

  private static Json json(String text) {
    return new Json('"' + text + '"');
  }

  private static List<NewTask<Json>> tasks(String what, int count) {
    return IntStream.range(0, count).mapToObj(i -> WORK.task(json(what)).queue("q")).toList();
  }

  private double count(String name, String... tags) {
    return registries.stream()
        .flatMap(registry -> registry.find(name).tags(tags).counters().stream())
        .mapToDouble(Counter::count)
        .sum();
  }

  private double times(String name) {
    return registries.stream()
        .flatMap(registry -> registry.find(name).timers().stream())
        .mapToDouble(Timer::count)
        .sum();
  }

  @Test
  void counters_agreeWithTheDatabaseAfterEverythingThatCanHappenToATask() {
    int many = 300;
    for (String what :
        List.of("done", "retry", "snooze", "dead", "cancel", "transaction", "rolled back"))
      producer.enqueue(tasks(what, many));
    int lost = 30;
    producer.enqueue(tasks("lost", lost));
    producer.enqueue(tasks("done", 2_000)); // by COPY
    for (var task : tasks("throw", 20)) producer.enqueue(task.maxAttempts(1));
    try (var coalescing =
        CoalescingProducer.on(db.dataSource(), CoalescingSettings.DEFAULT.withProducer(settings))) {
      tasks("done", 100).stream().map(coalescing::enqueue).toList().forEach(f -> f.join());
    }
    NewTask<Json> twice = tasks("done", 1).getFirst();
    producer.enqueue(twice);
    producer.enqueue(twice);
    loseToADeadWorker(40, 0);
    loseToADeadWorker(20, 2);
    NewTask<Json> waiting = tasks("done", 1).getFirst().delay(ofHours(1));
    List<NewTask<Json>> hanging = tasks("hang", 3);
    producer.enqueue(waiting);
    producer.enqueue(hanging);

    start(registries.get(1));
    start(registries.get(2));
    var canceller = Canceller.on(db.dataSource());
    canceller.cancel(waiting.id(), "no");
    await().atMost(ofSeconds(40)).until(() -> db.number("select count(*) from dibs.task") == 3);
    hanging.forEach(task -> canceller.cancel(task.id(), "no"));
    db.execute("update dibs.schedule set paused_at = now()");
    await().atMost(ofSeconds(20)).until(() -> db.number("select count(*) from dibs.task") == 0);
    await().atMost(ofSeconds(10)).until(() -> count("dibs.tasks.claimed") == ends());
    workers.forEach(worker -> worker.stop(Duration.ZERO));

    Map<String, double[]> table = new LinkedHashMap<>();
    long byHand = 60;
    long claims = sql("sum(attempt)", "true") - byHand;
    long losses = sql("sum(losses)", "true") - lost - 40;
    table.put("enqueued", row(count("dibs.tasks.enqueued"), sql("count(*)", "true")));
    table.put("claimed", row(count("dibs.tasks.claimed"), claims));
    table.put("task.wait", row(times("dibs.task.wait"), claims));
    table.put(
        "finished succeeded", row(finished("succeeded"), sql("count(*)", "status = 'SUCCEEDED'")));
    table.put(
        "finished dead",
        row(finished("dead"), sql("count(*)", "status = 'DEAD' and lease is not null")));
    table.put(
        "finished cancelled",
        row(
            finished("cancelled"),
            sql("count(*)", "status = 'CANCELLED' and worker_id is not null")));
    table.put("finished retried", row(finished("retried"), sql("sum(failures)", "true")));
    table.put(
        "rescued quarantined",
        row(
            count("dibs.rescued", "outcome", "quarantined"),
            sql("count(*)", "status = 'DEAD' and lease is null")));
    table.put("rescued", row(count("dibs.rescued"), losses));
    table.put("lease lost", row(count("dibs.lease.lost"), lost));
    long seen =
        sql("count(*)", "lease is not null or (status = 'CANCELLED' and worker_id is not null)")
            + sql("sum(failures)", "true")
            + lost;
    table.put(
        "finished snoozed and released",
        row(finished("snoozed") + finished("released"), claims - seen));
    table.put("finished unknown", row(finished("unknown"), 0));
    var text = new StringBuilder("meters and database:");
    table.forEach(
        (name, row) -> text.append("\n%-32s %8.0f %8.0f".formatted(name, row[0], row[1])));
    LoggerFactory.getLogger(MetersTest.class).warn(text.toString());
    assertThat(table).allSatisfy((name, row) -> assertThat(row[0]).as(name).isEqualTo(row[1]));
    assertThat(finished("snoozed")).isEqualTo(many);
    assertThat(finished("retried")).isGreaterThanOrEqualTo(2.0 * many);
    assertThat(count("dibs.rescued", "outcome", "quarantined")).isEqualTo(20);
    assertThat(count("dibs.rescued")).isEqualTo(60);
    assertThat(count("dibs.tasks.enqueued", "kind", "follow-up")).isGreaterThan(many);
  }

  private static double[] row(double meters, long database) {
    return new double[] {meters, (double) database};
  }

  private double finished(String outcome) {
    return count("dibs.tasks.finished", "outcome", outcome);
  }

  private double ends() {
    return count("dibs.tasks.finished") + count("dibs.lease.lost");
  }

  private long sql(String value, String condition) {
    return db.number("select %s from dibs.task_history where %s".formatted(value, condition));
  }

  /** Puts tasks in that a worker holds which died with so many losses of theirs before. */
  private void loseToADeadWorker(int count, int losses) {
    UUID dead = UUID.randomUUID();
    db.execute(
        "insert into dibs.worker (id, host, pid, version, queues, kinds, concurrency, lease_until)"
            + " values (?, 'gone', 1, 'x', '{q}', '{work}', 8, now() - interval '1 hour')",
        dead);
    for (var task : tasks("done", count)) {
      producer.enqueue(task);
      db.execute(
          "update dibs.task set status = 'PROCESSING', attempt = 1, losses = ?, lease = gen_random_uuid(), worker_id = ? where id = ?",
          losses,
          dead,
          task.id());
    }
  }

  @Test
  void labels_ofTenThousandKindsAndQueuesAreFew() {
    var registry = new SimpleMeterRegistry();
    var meters = new WorkerMeters(registry);
    for (int i = 0; i < 10_000; i++) {
      meters.completed(task("q" + i, "k" + i));
      meters.completed(task("q", "k" + i));
      meters.completed(task("q" + i, "k"));
      meters.enqueued("q" + i, "k" + i, 1);
    }
    assertThat(registry.find("dibs.tasks.finished").counters().stream().mapToDouble(Counter::count))
        .satisfies(counts ->
            assertThat(counts.stream().mapToDouble(Double::doubleValue).sum()).isEqualTo(30_000));
    int pairs = 2 * Labels.NAMED + 1;
    assertThat(registry.find("dibs.tasks.claimed").counters()).hasSizeLessThanOrEqualTo(pairs);
    assertThat(registry.find("dibs.tasks.enqueued").counters()).hasSizeLessThanOrEqualTo(pairs);
    assertThat(values(registry, "kind")).contains("k", "other").hasSizeLessThanOrEqualTo(pairs);
    assertThat(values(registry, "queue")).contains("q", "other").hasSizeLessThanOrEqualTo(pairs);
  }

  private static List<String> values(SimpleMeterRegistry registry, String label) {
    return registry.getMeters().stream()
        .map(Meter::getId)
        .map(id -> id.getTag(label))
        .filter(value -> value != null)
        .distinct()
        .toList();
  }

  private static Task task(String queue, String kind) {
    return new Task(
        new Task.Hold(UUID.randomUUID(), UUID.randomUUID()),
        new Task.Lane(queue, Priority.NORMAL),
        kind,
        new Task.Tries(1, 0, 0, 25),
        new Task.Content("1", ""),
        new Task.Timing(Duration.ZERO, Optional.empty()));
  }

  @Test
  void whatAlertsLookAt_isThereBeforeItHappens() {
    var registry = registries.get(1);
    start(registry);
    for (String kind : List.of("work", "follow-up")) {
      assertThat(registry.get("dibs.lease.lost").tags("queue", "q", "kind", kind).counter().count())
          .isZero();
      for (String outcome : List.of("dead", "succeeded"))
        assertThat(
                registry
                    .get("dibs.tasks.finished")
                    .tags("queue", "q", "kind", kind, "outcome", outcome)
                    .counter())
            .isNotNull();
    }
    for (String cause : List.of("worker", "orphan"))
      assertThat(registry.get("dibs.rescued").tag("cause", cause).counters()).hasSize(2);
    await()
        .atMost(ofSeconds(10))
        .until(() -> registry.get("dibs.worker.ready").gauge().value() == 1);
    workers.getFirst().stop(Duration.ZERO);
    assertThat(registry.get("dibs.worker.ready").gauge().value()).isZero();
  }

  @Test
  void sweeps_countWhatTheyFindBelowTheFloors() {
    var registry = registries.get(1);
    start(registry);
    db.execute("update dibs.schedule set paused_at = now()"); // a tick might overtake the others
    producer.enqueue(tasks("done", 50));
    await().atMost(ofSeconds(10)).until(() -> db.finished("SUCCEEDED") >= 50);
    assertThat(count("dibs.floor.found")).isZero();
    db.execute(
        "insert into dibs.task (id, position, queue, kind, payload) select gen_random_uuid(), n, 'q', 'work', '1' from generate_series(1, 5) n");
    await().atMost(ofSeconds(10)).until(() -> count("dibs.floor.found") == 5);
    assertThat(count("dibs.floor.sweeps")).isPositive();
  }
}
