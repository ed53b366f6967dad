package dev.dibs.bench;

import dev.dibs.producer.Producer;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Tasks enqueued at an even pace by a thread of its own, until it is closed: load for what is
 * measured beside it.
 */
final class Stream implements AutoCloseable {
  private static final Duration EVERY = Duration.ofMillis(10);
  private static final double SECONDS_PER_NANO = 1e-9;

  private final ExecutorService thread = Executors.newSingleThreadExecutor();
  private final long startedAt = System.nanoTime();
  private final Future<Long> enqueued;
  private volatile boolean ended;

  Stream(Producer producer, double perSecond) {
    double perCall = perSecond * EVERY.toNanos() * SECONDS_PER_NANO;
    this.enqueued = thread.submit(() -> flow(producer, Math.max(1, (int) Math.round(perCall))));
  }

  /** Falls behind rather than catching up: a burst would be another load. */
  private long flow(Producer producer, int perCall) throws InterruptedException {
    long count = 0;
    while (!ended) {
      long next = System.nanoTime() + EVERY.toNanos();
      producer.enqueue(Tasks.tasks(perCall));
      count += perCall;
      Await.pauseUntil(next);
    }
    return count;
  }

  /** Ends the stream; answers how many tasks a second it has enqueued. */
  double end() throws Exception {
    ended = true; // no interrupt: it would fail the enqueue that is under way
    double count = (double) enqueued.get();
    return count / ((double) (System.nanoTime() - startedAt) * SECONDS_PER_NANO);
  }

  @Override
  public void close() {
    ended = true;
    thread.close();
  }
}
