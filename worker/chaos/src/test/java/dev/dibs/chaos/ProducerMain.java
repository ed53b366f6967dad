package dev.dibs.chaos;

import com.zaxxer.hikari.HikariDataSource;
import dev.dibs.DibsException;
import dev.dibs.EnqueueUnknownException;
import dev.dibs.NewTask;
import dev.dibs.producer.CoalescingProducer;
import dev.dibs.producer.Producer;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A producer process of a chaos run: enqueues one task, some, and some in a transaction of its own,
 * and from several threads at once by the coalescing producer.
 *
 * <p>An enqueue that got no answer is repeated, as its javadoc asks, or left in the dark.
 */
final class ProducerMain {
  private static final int CONNECTIONS = 5;
  private static final int THREADS = 4;
  private static final int REPEATS = 3;

  /** From so many on tasks travel by COPY. */
  private static final int MANY = 1_000;

  private static final int MANY_ONE_IN = 150;

  /** An enqueue of all these tasks or none. */
  @FunctionalInterface
  private interface Call {
    void enqueue(List<NewTask<Work>> tasks) throws Exception;
  }

  private final ChildPlan plan;
  private final Recorder recorder;
  private final CountDownLatch told = ChildPlan.toldToStop();

  private ProducerMain(ChildPlan plan) throws Exception {
    this.plan = plan;
    this.recorder = plan.recorder();
  }

  public static void main(String[] args) throws Exception {
    new ProducerMain(ChildPlan.parse(args[0])).run();
  }

  private void run() throws Exception {
    try (HikariDataSource pool = plan.pool(CONNECTIONS);
        Producer producer = Producer.on(pool);
        CoalescingProducer coalescing = CoalescingProducer.on(pool)) {
      recorder.write(Event.Type.READY, "");
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        var random = new Random(plan.seed() * THREADS + i);
        boolean coalesces = i >= THREADS / 2;
        threads.add(
            Thread.ofPlatform()
                .start(() -> produce(random, coalesces, pool, producer, coalescing)));
      }
      for (Thread thread : threads) thread.join();
    }
  }

  private void produce(
      Random random,
      boolean coalesces,
      HikariDataSource pool,
      Producer producer,
      CoalescingProducer coalescing) {
    try {
      while (!told.await(pause(random), TimeUnit.NANOSECONDS)) {
        if (coalesces) {
          enqueue(random, batch(random, 1), tasks -> join(coalescing, tasks.getFirst()));
        } else if (random.nextInt(4) == 0) {
          enqueue(random, batch(random, 0), tasks -> inOwnTransaction(pool, producer, tasks));
        } else {
          enqueue(random, batch(random, 0), producer::enqueue);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private long pause(Random random) {
    return random.nextLong(plan.workload().pace().toNanos() * THREADS);
  }

  private List<NewTask<Work>> batch(Random random, int size) {
    boolean many =
        size == 0 && plan.workload().largestBatch() > 1 && random.nextInt(MANY_ONE_IN) == 0;
    int count = size > 0 ? size : many ? MANY : 1 + random.nextInt(plan.workload().largestBatch());
    List<NewTask<Work>> tasks = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      tasks.add(many ? Work.taking(0).task(Work.OUTSIDE) : Work.draw(random, plan.workload()));
    }
    return tasks;
  }

  private void enqueue(Random random, List<NewTask<Work>> tasks, Call call) {
    for (int i = 0; i <= REPEATS; i++) {
      record(Event.Type.ENQUEUE, tasks);
      try {
        call.enqueue(tasks);
        record(Event.Type.ENQUEUED, tasks);
        return;
      } catch (EnqueueUnknownException e) {
        record(Event.Type.ENQUEUE_UNKNOWN, tasks);
        if (random.nextBoolean()) return;
      } catch (DibsException | IllegalStateException e) {
        record(Event.Type.ENQUEUE_REFUSED, tasks);
        return;
      } catch (Exception e) {
        record(Event.Type.ENQUEUE_UNKNOWN, tasks);
        return;
      }
    }
  }

  private static void join(CoalescingProducer producer, NewTask<Work> task) {
    try {
      producer.enqueue(task).join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) throw cause;
      throw e;
    }
  }

  /** Until the commit is sent nothing can have happened; from then on it is in the dark. */
  private static void inOwnTransaction(
      HikariDataSource pool, Producer producer, List<NewTask<Work>> tasks) throws SQLException {
    try (Connection connection = open(pool)) {
      connection.setAutoCommit(false);
      try {
        producer.enqueue(connection, tasks);
      } catch (RuntimeException e) {
        throw new DibsException("rolled back", e); // the connection is closed without a commit
      }
      connection.commit();
    }
  }

  private static Connection open(HikariDataSource pool) {
    try {
      return pool.getConnection();
    } catch (SQLException e) {
      throw new DibsException("no connection", e);
    }
  }

  private void record(Event.Type type, List<NewTask<Work>> tasks) {
    String call = tasks.getFirst().id().toString();
    for (NewTask<Work> task : tasks) recorder.write(type, task.id(), 0, call);
  }
}
