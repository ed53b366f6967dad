package dev.dibs.app;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The requests that the gateway works at: so many at once and with so many bytes, and none more
 * when it stops. Who does not fit is refused at once; nobody queues. The lock guards all fields
 * that change. Thread-safe.
 */
final class InFlight {
  private static final Duration RETRY = Duration.ofSeconds(1);

  private final int mostRequests;
  private final long mostBytes;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition allHaveLeft = lock.newCondition();
  private int requests;
  private long bytes;
  private boolean stopping;

  InFlight(int mostRequests, long mostBytes) {
    this.mostRequests = mostRequests;
    this.mostBytes = mostBytes;
  }

  /** A place, which is not taken yet. */
  Place place() {
    return new Place();
  }

  /** A place for one request, until it is closed: after the answer has been sent. */
  final class Place implements AutoCloseable {
    private boolean taken;
    private long size;

    private Place() {}

    /**
     * Lets the request in, whose body has {@code size} bytes at most.
     *
     * @throws Problem if there is no room for it
     */
    void take(long size) {
      enter(size);
      this.size = size;
      taken = true;
    }

    @Override
    public void close() {
      if (taken) leave(size);
    }
  }

  private void enter(long size) {
    lock.lock();
    try {
      if (stopping)
        throw Problem.passing(
            ProblemType.STOPPING,
            "the gateway is stopping; send it to another one, or again",
            RETRY);
      if (requests >= mostRequests || bytes + size > mostBytes)
        throw Problem.passing(
            ProblemType.OVERLOADED,
            "%d requests are in flight, more does not fit; send it again later".formatted(requests),
            RETRY);
      requests++;
      bytes += size;
    } finally {
      lock.unlock();
    }
  }

  private void leave(long size) {
    lock.lock();
    try {
      requests--;
      bytes -= size;
      if (requests == 0) allHaveLeft.signalAll();
    } finally {
      lock.unlock();
    }
  }

  int requests() {
    lock.lock();
    try {
      return requests;
    } finally {
      lock.unlock();
    }
  }

  boolean isStopping() {
    lock.lock();
    try {
      return stopping;
    } finally {
      lock.unlock();
    }
  }

  /** Lets nobody in any more and waits until all have left, as long as patience lasts. */
  void stop(Duration patience) throws InterruptedException {
    lock.lock();
    try {
      stopping = true;
      long left = patience.toNanos();
      while (requests > 0 && left > 0) left = allHaveLeft.awaitNanos(left);
    } finally {
      lock.unlock();
    }
  }
}
