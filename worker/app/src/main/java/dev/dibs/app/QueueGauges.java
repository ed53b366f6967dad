package dev.dibs.app;

import dev.dibs.TaskStatus;
import dev.dibs.sql.CountTasks;
import dev.dibs.sql.CountTasks.Depth;
import dev.dibs.sql.Schema;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import io.micrometer.core.instrument.Tags;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.jooq.exception.DataAccessException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gauges {@code dibs.queue.depth} and {@code dibs.queue.oldest.age}, counted now and then by a
 * thread and a connection of their own: no scrape waits for the database, and no count bothers it
 * for long.
 *
 * <p>The queues served here are always there, of the others the fullest; the rest are {@code
 * other}. While they cannot be counted none is shown.
 */
final class QueueGauges implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(QueueGauges.class);
  private static final Duration INTERVAL = Duration.ofSeconds(10);
  private static final Duration LONGEST_ANSWER = Duration.ofSeconds(5);
  private static final String BOUNDED = "set statement_timeout = '2s'";
  private static final int NAMED_QUEUES = 100;
  private static final String OTHER = "other";

  private final DataSource dataSource;
  private final CountTasks tasks;
  private final Set<String> served;
  private final MultiGauge depth;
  private final MultiGauge oldest;
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final Thread thread =
      Thread.ofPlatform().daemon().name("dibs-gauges").unstarted(this::countUntilStopped);
  private boolean complained;

  QueueGauges(Database database, Set<String> served, MeterRegistry registry) {
    this.dataSource = database.plain(LONGEST_ANSWER);
    Schema schema = database.schema();
    this.tasks = new CountTasks(schema);
    this.served = Set.copyOf(served);
    this.depth =
        MultiGauge.builder("dibs.queue.depth").description("unfinished tasks").register(registry);
    this.oldest =
        MultiGauge.builder("dibs.queue.oldest.age")
            .description("how long the pending task that waits longest has been due")
            .baseUnit("seconds")
            .register(registry);
  }

  /** Counts from now on, until closed. */
  void start() {
    thread.start();
  }

  private void countUntilStopped() {
    try {
      do {
        count();
      } while (!stopped.await(INTERVAL.toNanos(), TimeUnit.NANOSECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void count() {
    try (Connection connection = dataSource.getConnection();
        var statement = connection.createStatement()) {
      statement.execute(BOUNDED);
      show(tasks.depths(connection));
      complained = false;
    } catch (SQLException | DataAccessException e) {
      show(Map.of(), Map.of());
      if (!complained)
        LOG.warn(
            "the queues cannot be counted, their gauges are gone until they can: {}",
            e.getMessage());
      complained = true;
    }
  }

  /** Replaces what the gauges show. */
  void show(List<Depth> depths) {
    Set<String> named = new HashSet<>(served);
    named.addAll(fullest(depths));
    Map<Tags, Double> counts = new HashMap<>();
    Map<Tags, Double> ages = new HashMap<>();
    for (String queue : served) {
      ages.put(Tags.of("queue", queue), 0.0);
      for (TaskStatus status : TaskStatus.values()) {
        if (!status.isFinal()) counts.put(Tags.of("queue", queue, "status", status.name()), 0.0);
      }
    }
    for (Depth found : depths) {
      Tags queue = Tags.of("queue", named.contains(found.queue()) ? found.queue() : OTHER);
      counts.merge(queue.and("status", found.status().name()), (double) found.tasks(), Double::sum);
      found.oldest().ifPresent(age -> ages.merge(queue, age.toMillis() / 1e3, Math::max));
    }
    show(counts, ages);
  }

  private void show(Map<Tags, Double> counts, Map<Tags, Double> ages) {
    depth.register(rows(counts), true);
    oldest.register(rows(ages), true);
  }

  private static Set<String> fullest(List<Depth> depths) {
    Map<String, Long> totals =
        depths.stream()
            .collect(Collectors.groupingBy(Depth::queue, Collectors.summingLong(Depth::tasks)));
    return totals.entrySet().stream()
        .sorted(
            Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder())
                .thenComparing(Map.Entry.comparingByKey()))
        .limit(NAMED_QUEUES)
        .map(Map.Entry::getKey)
        .collect(Collectors.toSet());
  }

  private static List<Row<?>> rows(Map<Tags, Double> values) {
    return values.entrySet().stream()
        .<Row<?>>map(entry -> Row.of(entry.getKey(), entry.getValue()))
        .toList();
  }

  @Override
  public void close() {
    stopped.countDown();
    thread.interrupt();
  }
}
