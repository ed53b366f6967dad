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

  Stream(Producer producer, double perSecond) {
    double perCall = perSecond * EVERY.toNanos() * SECONDS_PER_NANO;
    this.enqueued = thread.submit(() -> flow(producer, Math.max(1, (int) Math.round(perCall))));
  }

  /** Falls behind rather than catching up: a burst would be another load. */
  private long flow(Producer producer, int perCall) {
    long count = 0;
    try {
      while (true) {
        long next = System.nanoTime() + EVERY.toNanos();
        producer.enqueue(Tasks.tasks(perCall));
        count += perCall;
        Await.pauseUntil(next);
      }
    } catch (InterruptedException e) {
      return count; // closed: what is enqueued by now was acknowledged
    }
  }

  /** Ends the stream; answers how many tasks a second it has enqueued. */
  double end() throws Exception {
    thread.shutdownNow();
    double seconds = (double) (System.nanoTime() - startedAt) * SECONDS_PER_NANO;
    return (double) enqueued.get() / seconds;
  }

  @Override
  public void close() {
    thread.close();
  }
}
