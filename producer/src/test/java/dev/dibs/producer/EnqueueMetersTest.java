package dev.dibs.producer;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.PayloadException;
import dev.dibs.testing.TestDatabase;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class EnqueueMetersTest {
  private static final Kind<Json> KIND = Kind.json("k");

  private final TestDatabase db = TestDatabase.create();
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final ProducerSettings settings = ProducerSettings.DEFAULT.withMetrics(registry);

  @AfterEach
  void drop() {
    db.close();
  }

  private static List<NewTask<Json>> tasks(int count) {
    return IntStream.range(0, count).mapToObj(i -> KIND.task(new Json("1")).queue("q")).toList();
  }

  private double enqueued() {
    return registry.find("dibs.tasks.enqueued").counters().stream()
        .mapToDouble(Counter::count)
        .sum();
  }

  private long inTheDatabase() {
    return db.number("select count(*) from dibs.task");
  }

  @Test
  void whatWasPutIn_isCountedOnceAndWhatWasThereAlreadyIsNot() throws SQLException {
    try (var producer = Producer.on(db.dataSource(), settings);
        var coalescing =
            CoalescingProducer.on(
                db.dataSource(), CoalescingSettings.DEFAULT.withProducer(settings));
        Connection connection = db.connectTested()) {
      List<NewTask<Json>> twice = tasks(3);
      producer.enqueue(twice);
      producer.enqueue(twice);
      producer.enqueue(tasks(1_500));
      producer.enqueue(connection, tasks(7));
      tasks(50).stream().map(coalescing::enqueue).toList().forEach(CompletableFuture::join);
      coalescing.enqueue(twice.getFirst()).join();
      var refused = KIND.task(new Json("[\"\\u0000\"]")).queue("q");
      assertThatThrownBy(() -> producer.enqueue(refused)).isInstanceOf(PayloadException.class);
      await().atMost(ofSeconds(5)).until(() -> enqueued() == 1_560);
      assertThat(inTheDatabase()).isEqualTo(1_560);
      assertThat(registry.get("dibs.tasks.enqueued").tags("queue", "q", "kind", "k").counter())
          .isNotNull();
    }
  }

  @Test
  void aRegistryThatThrows_costsNoTask() {
    registry
        .config()
        .meterFilter(
            MeterFilter.denyUnless(id -> {
              throw new IllegalStateException("broken filter");
            }));
    try (var producer = Producer.on(db.dataSource(), settings)) {
      assertThat(producer.enqueue(tasks(2))).allMatch(Enqueued::inserted);
    }
    assertThat(inTheDatabase()).isEqualTo(2);
  }

  /** Micrometer is an optional dependency: who gives no registry need not have it. */
  @Test
  void settings_needNoMicrometerUntilARegistryIsGiven() throws Exception {
    var without =
        new ClassLoader(getClass().getClassLoader()) {
          @Override
          protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (name.startsWith("io.micrometer.")) throw new ClassNotFoundException(name);
            if (!name.startsWith("dev.dibs.producer.")) return super.loadClass(name, resolve);
            @Nullable Class<?> loaded = findLoadedClass(name);
            return loaded != null ? loaded : define(name);
          }

          private Class<?> define(String name) throws ClassNotFoundException {
            try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
              if (in == null) throw new ClassNotFoundException(name);
              byte[] bytes = in.readAllBytes();
              return defineClass(name, bytes, 0, bytes.length);
            } catch (IOException e) {
              throw new ClassNotFoundException(name, e);
            }
          }
        };
    Class<?> type = Class.forName("dev.dibs.producer.ProducerSettings", true, without);
    Object usual = type.getField("DEFAULT").get(null);
    assertThat(String.valueOf(usual)).contains("maxPayloadBytes=262144");
    assertThat(type).isNotEqualTo(ProducerSettings.class);
    Class<?> producer = Class.forName("dev.dibs.producer.Producer", true, without);
    var on = producer.getMethod("on", javax.sql.DataSource.class, type);
    try (var open = (AutoCloseable) on.invoke(null, db.dataSource(), usual)) {
      producer.getMethod("enqueue", NewTask.class).invoke(open, tasks(1).getFirst());
    }
    assertThat(inTheDatabase()).isEqualTo(1);
  }
}
