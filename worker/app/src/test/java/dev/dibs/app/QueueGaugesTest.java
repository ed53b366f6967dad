package dev.dibs.app;

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
        var gauges = new QueueGauges(database(db), Set.of("idle"), registry)) {
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

  @Test
  void gauges_nameTheFullestQueuesAndForgetTheRest() {
    try (var db = TestDatabase.create();
        var gauges = new QueueGauges(database(db), Set.of("idle"), registry)) {
      List<Depth> depths = new ArrayList<>();
      for (int i = 1; i <= 150; i++) {
        depths.add(new Depth("q" + i, TaskStatus.PENDING, i, Optional.of(ofSeconds(i))));
      }
      gauges.show(depths);
      assertThat(registry.find("dibs.queue.depth").gauges()).hasSize(105);
      assertThat(depth("q150", "PENDING")).isEqualTo(150);
      assertThat(depth("other", "PENDING")).isEqualTo(50 * 51 / 2);
      assertThat(registry.get("dibs.queue.oldest.age").tag("queue", "other").gauge().value())
          .isEqualTo(50);
      gauges.show(List.of());
      assertThat(registry.find("dibs.queue.depth").gauges()).hasSize(4);
    }
  }
}
