package dev.dibs.app;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.TaskStatus;
import dev.dibs.producer.Producer;
import dev.dibs.sql.CountTasks.Depth;
import dev.dibs.sql.Schema;
import dev.dibs.testing.TestDatabase;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class QueueGaugesTest {
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

  private static Database database(TestDatabase db) {
    return new Database(DatabaseUrl.parse(db.url()), Schema.DEFAULT, "test", () -> {});
  }

  @Test
  void gauges_countWhatIsInTheDatabase() {
    try (var db = TestDatabase.create();
        var producer = Producer.on(db.dataSource());
        var gauges = new QueueGauges(database(db), Set.of("idle"), registry, ofSeconds(10))) {
      for (int i = 0; i < 3; i++)
        producer.enqueue(Kind.json("k").task(new Json("1")).queue("mail"));
      producer.enqueue(Kind.json("k").task(new Json("1")).queue("mail").delay(ofSeconds(500)));
      gauges.start();
      await()
          .atMost(ofSeconds(10))
          .until(() -> registry.find("dibs.queue.depth").gauges().size() == 6);
      assertThat(depth("mail", "PENDING")).isEqualTo(3);
      assertThat(depth("mail", "SCHEDULED")).isEqualTo(1);
      assertThat(depth("idle", "PENDING")).isZero();
      assertThat(registry.get("dibs.queue.oldest.age").tag("queue", "mail").gauge().value())
          .isBetween(0.0, 60.0);
    }
  }

  private double depth(String queue, String status) {
    return registry.get("dibs.queue.depth").tags("queue", queue, "status", status).gauge().value();
  }

  private double workers(String queue) {
    return registry.get("dibs.queue.workers").tag("queue", queue).gauge().value();
  }

  @Test
  void gauges_tellQueuesThatNobodyServes() {
    try (var db = TestDatabase.create();
        var producer = Producer.on(db.dataSource());
        var gauges = new QueueGauges(database(db), Set.of("idle"), registry, ofMillis(100))) {
      producer.enqueue(Kind.json("k").task(new Json("1")).queue("mail"));
      producer.enqueue(Kind.json("k").task(new Json("1")).queue("web"));
      db.execute(
          "insert into dibs.worker (id, host, pid, version, queues, kinds, concurrency, status, lease_until)"
              + " select gen_random_uuid(), 'h', 1, 'x', queues, '{k}', 1, status, now() + ahead from (values"
              + " ('{web,idle}'::text[], 'LIVE', interval '1 hour'), ('{web}', 'LIVE', '1 hour'),"
              + " ('{mail}', 'DEAD', '1 hour'), ('{mail}', 'DRAINING', '1 hour'), ('{mail}', 'LIVE', '-1 s'))"
              + " v (queues, status, ahead)");
      gauges.start();
      await()
          .atMost(ofSeconds(10))
          .until(() -> registry.find("dibs.queue.workers").gauges().size() == 3);
      assertThat(workers("web")).isEqualTo(2);
      assertThat(workers("idle")).isEqualTo(1);
      assertThat(workers("mail")).isZero();
    }
  }

  @Test
  void gauges_areGoneWhileTheyCannotBeCounted() {
    try (var db = TestDatabase.create();
        var gauges = new QueueGauges(database(db), Set.of("idle"), registry, ofMillis(100))) {
      gauges.start();
      await()
          .atMost(ofSeconds(10))
          .until(() -> registry.find("dibs.queue.depth").gauges().size() == 4);
      db.execute("alter table dibs.task rename to away");
      await()
          .atMost(ofSeconds(10))
          .until(() -> registry.find("dibs.queue.depth").gauges().isEmpty());
      db.execute("alter table dibs.away rename to task");
      await()
          .atMost(ofSeconds(10))
          .until(() -> registry.find("dibs.queue.depth").gauges().size() == 4);
    }
  }

  @Test
  void gauges_nameTheFullestQueuesAndForgetTheRest() {
    try (var db = TestDatabase.create();
        var gauges = new QueueGauges(database(db), Set.of("idle"), registry, ofSeconds(10))) {
      List<Depth> depths = new ArrayList<>();
      for (int i = 1; i <= 150; i++) {
        depths.add(new Depth("q" + i, TaskStatus.PENDING, i, Optional.of(ofSeconds(i))));
      }
      gauges.show(depths, Map.of("q150", 2L, "q1", 1L, "q2", 3L));
      assertThat(registry.find("dibs.queue.depth").gauges()).hasSize(105);
      assertThat(depth("q150", "PENDING")).isEqualTo(150);
      assertThat(depth("other", "PENDING")).isEqualTo(50 * 51 / 2);
      assertThat(registry.get("dibs.queue.oldest.age").tag("queue", "other").gauge().value())
          .isEqualTo(50);
      assertThat(workers("q150")).isEqualTo(2);
      assertThat(workers("q149")).isZero();
      assertThat(workers("other")).isZero();
      assertThat(workers("idle")).isZero();
      gauges.show(List.of(), Map.of());
      assertThat(registry.find("dibs.queue.depth").gauges()).hasSize(4);
    }
  }
}
