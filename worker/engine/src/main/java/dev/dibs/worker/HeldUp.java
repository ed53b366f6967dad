package dev.dibs.worker;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.stream.Stream;

/**
 * Outcomes whose rows somebody has locked, such as a caller who cancelled the task in a transaction
 * that stays open. Each is tried again by itself now and then, one at a time, so that no other
 * outcome waits with it. Guarded by the lock of the ledger.
 */
final class HeldUp {
  private static final long AGAIN_NANOS = Duration.ofSeconds(5).toNanos();

  private record Waiting(FinishedRun run, long dueAt) {}

  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private boolean underWay;
  private long departedAt;

  void add(FinishedRun run, long now) {
    waiting.add(new Waiting(run, now + AGAIN_NANOS));
  }

  boolean isEmpty() {
    return waiting.isEmpty();
  }

  int size() {
    return waiting.size();
  }

  Stream<FinishedRun> runs() {
    return waiting.stream().map(Waiting::run);
  }

  /** How long until one is to be tried; at once where there will be no later. */
  long nanosUntilDue(long now, boolean isLast) {
    if (underWay || waiting.isEmpty()) return Long.MAX_VALUE;
    return isLast ? 0 : Math.max(0, waiting.element().dueAt() - now);
  }

  /** Takes the one that is due, for a trip that departs {@code now}. */
  FinishedRun depart(long now) {
    underWay = true;
    departedAt = now;
    return waiting.remove().run();
  }

  /** A trip has ended; if it was with one of these, the next may be tried. */
  void ended(long tripDepartedAt) {
    if (underWay && departedAt == tripDepartedAt) underWay = false;
  }
}
