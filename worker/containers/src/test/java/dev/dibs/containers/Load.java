package dev.dibs.containers;

import static dev.dibs.containers.handlers.WorkHandlers.WORK;

import dev.dibs.DibsException;
import dev.dibs.Json;
import dev.dibs.Kind;
import dev.dibs.NewTask;
import dev.dibs.containers.handlers.Work;
import dev.dibs.producer.Producer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;

/**
 * A producer outside the containers that enqueues ten tasks every tenth of a second until it is
 * closed: short and long handlers, the built-in kinds between.
 *
 * <p>What was acknowledged must run. What the server gave no answer to may.
 */
final class Load implements AutoCloseable {
  private static final Kind<Json> NOOP = Kind.json("noop");
  private static final Kind<Json> EXEC = Kind.json("exec");
  private static final Kind<Json> HTTP = Kind.json("http");
  private static final Duration PAUSE = Duration.ofMillis(100);
  private static final Work SHORT = new Work(20);
  private static final Work LONG = new Work(1_500);

  private final Producer producer;
  private final String queue;
  private final String url;
  private final Set<UUID> acknowledged = ConcurrentHashMap.newKeySet();
  private final Set<UUID> working = ConcurrentHashMap.newKeySet();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread;
  private final AtomicInteger unanswered = new AtomicInteger();

  private Load(DataSource source, String queue, String url) {
    this.producer = Producer.on(source);
    this.queue = queue;
    this.url = url;
    this.thread = Thread.ofPlatform().name("load").unstarted(this::enqueueUntilClosed);
  }

  /**
   * Begins.
   *
   * @param url what tasks of kind http call
   */
  static Load on(DataSource source, String queue, String url) {
    var load = new Load(source, queue, url);
    load.thread.start();
    return load;
  }

  private void enqueueUntilClosed() {
    try {
      do {
        enqueue(batch());
      } while (!closed.await(PAUSE.toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void enqueue(List<NewTask<?>> batch) {
    try {
      producer.enqueue(batch);
    } catch (DibsException e) {
      unanswered.incrementAndGet();
      return;
    }
    batch.forEach(task -> acknowledged.add(task.id()));
    batch.stream().filter(task -> task.kind().equals(WORK)).forEach(task -> working.add(task.id()));
  }

  private List<NewTask<?>> batch() {
    List<NewTask<?>> batch = new ArrayList<>();
    for (int i = 0; i < 5; i++) batch.add(WORK.task(SHORT).queue(queue));
    batch.add(WORK.task(LONG).queue(queue));
    for (int i = 0; i < 2; i++) batch.add(NOOP.task(new Json("{}")).queue(queue));
    batch.add(EXEC.task(new Json("{\"command\":[\"/bin/sleep\",\"0.2\"]}")).queue(queue));
    batch.add(
        HTTP.task(new Json("{\"url\":\"%s\",\"method\":\"GET\"}".formatted(url))).queue(queue));
    return batch;
  }

  /** What was acknowledged until now. */
  Set<UUID> acknowledged() {
    return Set.copyOf(acknowledged);
  }

  /** Those among them whose handlers leave a row. */
  Set<UUID> working() {
    return Set.copyOf(working);
  }

  /** Batches that ended in an error. */
  int unanswered() {
    return unanswered.get();
  }

  @Override
  public void close() {
    closed.countDown();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    producer.close();
  }
}
