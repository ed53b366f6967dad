package dev.dibs.app;

import dev.dibs.DatabaseException;
import dev.dibs.Labels;
import dev.dibs.TaskStatus;
import dev.dibs.sql.CountTasks;
import dev.dibs.sql.CountTasks.Depth;
import dev.dibs.sql.OldestSnapshot;
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
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jooq.exception.DataAccessException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gauges {@code dibs.queue.depth}, {@code dibs.queue.oldest.age} and {@code
 * dibs.queue.workers}, and those of a {@link SnapshotWatch}, counted now and then by a thread and a
 * connection of their own: no scrape waits for the database, and no count bothers it for long.
 *
 * <p>The queues served here are always there, of the others the fullest; the rest are {@code
 * other}. While they cannot be counted none is shown.
 */
final class QueueGauges implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(QueueGauges.class);
  private static final Duration LONGEST_ANSWER = Duration.ofSeconds(5);

  /** For one transaction: a pooler would lend a session that keeps it to the next program. */
  private static final String BOUNDED =
      "set transaction isolation level read committed, read only; set local statement_timeout = '2s'";

  private static final int NAMED_QUEUES = 100;
  private static final int LOOKS_UNTIL_SAID = 6;
  private static final String CONNECTION = "the database";
  private static final String OTHER = Labels.OTHER;

  private final DataSource dataSource;
  private final Duration interval;
  private final CountTasks tasks;
  private final OldestSnapshot snapshot;
  private final SnapshotWatch snapshots;
  private final Set<String> served;
  private final MultiGauge depth;
  private final MultiGauge oldest;
  private final MultiGauge workers;
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final Thread thread =
      Thread.ofPlatform().daemon().name("dibs-gauges").unstarted(this::countUntilStopped);
  private final Set<String> complaints = new HashSet<>();

  QueueGauges(Database database, Set<String> served, MeterRegistry registry, Duration interval) {
    this.interval = interval;
    this.dataSource = database.plain(LONGEST_ANSWER);
    Schema schema = database.schema();
    this.tasks = new CountTasks(schema);
    this.snapshot = new OldestSnapshot(schema);
    this.snapshots = new SnapshotWatch(registry, interval.multipliedBy(LOOKS_UNTIL_SAID));
    this.served = Set.copyOf(served);
    this.depth =
        MultiGauge.builder("dibs.queue.depth").description("unfinished tasks").register(registry);
    this.oldest =
        MultiGauge.builder("dibs.queue.oldest.age")
            .description("how long the pending task that waits longest has been due")
            .baseUnit("seconds")
            .register(registry);
    this.workers =
        MultiGauge.builder("dibs.queue.workers")
            .description("live processes that take tasks from the queue")
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
      } while (!stopped.await(interval.toNanos(), TimeUnit.NANOSECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Apart from each other: that the queues take too long to count may be a snapshot's doing. */
  private void count() {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      if (!isDone("the queues", () -> countQueues(connection))) hide();
      if (!isDone("the oldest snapshot", () -> lookForSnapshots(connection)))
        snapshots.sawNothing();
      complaints.remove(CONNECTION);
    } catch (SQLException e) {
      hide();
      snapshots.sawNothing();
      complain(CONNECTION, e);
    }
  }

  private void countQueues(Connection connection) throws SQLException {
    List<Depth> depths = read(connection, tasks::depths);
    show(depths, read(connection, tasks::workersByQueue));
  }

  private void lookForSnapshots(Connection connection) throws SQLException {
    snapshots.saw(read(connection, snapshot::look), System.nanoTime());
  }

  private interface Read<R> {
    R from(Connection connection) throws SQLException;
  }

  private interface Look {
    void once() throws SQLException;
  }

  /** Reads in a transaction of its own, which takes two seconds at the most. */
  private static <R> R read(Connection connection, Read<R> read) throws SQLException {
    try (var statement = connection.createStatement()) {
      statement.execute(BOUNDED);
      return read.from(connection);
    } finally {
      connection.rollback();
    }
  }

  private boolean isDone(String what, Look look) {
    try {
      look.once();
      complaints.remove(what);
      return true;
    } catch (SQLException | DataAccessException e) {
      complain(what, e);
      return false;
    }
  }

  private void complain(String what, Exception e) {
    if (complaints.add(what))
      LOG.warn(
          "{} cannot be looked at, its gauges are gone until then: {}",
          what,
          DatabaseException.reason(e));
  }

  private void hide() {
    show(Map.of(), Map.of(), Map.of());
  }

  /** Replaces what the gauges show. */
  void show(List<Depth> depths, Map<String, Long> processes) {
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
    Map<Tags, Double> serving = new HashMap<>();
    Stream.concat(served.stream(), depths.stream().map(Depth::queue))
        .forEach(queue ->
            serving.merge(
                Tags.of("queue", named.contains(queue) ? queue : OTHER),
                (double) processes.getOrDefault(queue, 0L),
                Math::min)); // of those without a name: the one that is served least
    show(counts, ages, serving);
  }

  private void show(Map<Tags, Double> counts, Map<Tags, Double> ages, Map<Tags, Double> serving) {
    depth.register(rows(counts), true);
    oldest.register(rows(ages), true);
    workers.register(rows(serving), true);
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
